#include "proxy/net/buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "proxy/base/poison.h"

namespace lanekeeper {
namespace {

// A slice may keep a block alive that is this many times as large.
constexpr uint32_t kPinnedFactor = 4;
// A block that small pieces share: with its header it is one of the pool's.
constexpr size_t kSharedBytesMax = 1024 - sizeof(Block);

// Blocks for reading are pages of their own: what a burst took goes back to the system. malloc
// would leave it in the arena of the thread that had the loop just then, and kind kernel has many.
// They do not begin where a page does, as the kernel's own buffers do: copies between addresses
// that are nearly the same modulo 4 KiB take the CPU half as long again.
constexpr size_t kOffset = 2048;
constexpr size_t kMappedBytes = kOffset + sizeof(Block) + Buffers::kReadBytes;

void* MapBlock() {
  void* pages =
      mmap(nullptr, kMappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  return static_cast<uint8_t*>(pages) + kOffset;
}

// Whoever gets these pages next finds them clean.
void Unmap(Block* block) {
  Unpoison(block->data(), Buffers::kReadBytes);
  munmap(reinterpret_cast<uint8_t*>(block) - kOffset, kMappedBytes);
}

}  // namespace

Buffers::~Buffers() {
  for (Block* block : kept_) Unmap(block);
}

Block* Buffers::NewReadBlock() {
  if (kept_.empty()) return NewBlock(kReadBytes);
  Block* block = kept_.back();
  kept_.pop_back();
  Unpoison(block->data(), kReadBytes);
  block->references = 1;
  budget_.Add(kReadBytes);
  return block;
}

Block* Buffers::NewBlock(uint32_t capacity) {
  void* memory = capacity == kReadBytes ? MapBlock() : pool_.Allocate(sizeof(Block) + capacity);
  auto* block = static_cast<Block*>(memory);
  block->references = 1;
  block->capacity = capacity;
  budget_.Add(capacity);
  return block;
}

void Buffers::Free(Block* block) {
  budget_.Add(-int64_t{block->capacity});
  if (block->capacity != kReadBytes) {
    return pool_.Deallocate(block, sizeof(Block) + block->capacity);
  }
  if (kept_.size() >= kKeptBlocks) return Unmap(block);
  Poison(block->data(), kReadBytes);
  kept_.push_back(block);
}

void SliceQueue::Push(Block* block, const uint8_t* data, uint32_t size, bool compact) {
  auto* node = static_cast<Node*>(buffers_->pool().Allocate(sizeof(Node)));
  *node = {nullptr, block, data, size, compact};
  (last_ == nullptr ? first_ : last_->next) = node;
  last_ = node;
  bytes_ += size;
}

void SliceQueue::PopFront() {
  Node* node = first_;
  first_ = node->next;
  if (first_ == nullptr) last_ = nullptr;
  buffers_->Release(node->block);
  buffers_->pool().Deallocate(node, sizeof(Node));
}

void SliceQueue::Append(Block* block, const uint8_t* data, uint32_t size) {
  ++block->references;
  Push(block, data, size, block->capacity < size * kPinnedFactor);
}

// Bytes that came one by one must not cost a block and a node each: from the second piece on there
// is room for as much as is there already.
void SliceQueue::AppendCopy(const uint8_t* data, size_t size) {
  if (size == 0) return;
  if (last_ != nullptr && RoomBehind(*last_) >= size) {
    std::memcpy(last_->block->data() + (last_->data - last_->block->data()) + last_->size, data,
                size);
    last_->size += static_cast<uint32_t>(size);
    bytes_ += size;
    return;
  }
  const size_t capacity = std::max(size, std::min<size_t>(bytes_, kSharedBytesMax));
  Block* block = buffers_->NewBlock(static_cast<uint32_t>(capacity));
  std::memcpy(block->data(), data, size);
  Push(block, block->data(), static_cast<uint32_t>(size), true);
}

// What nobody else can see of the block that a slice is in.
size_t SliceQueue::RoomBehind(const Node& node) {
  if (!node.compact || node.block->references > 1) return 0;
  return static_cast<size_t>(node.block->data() + node.block->capacity - (node.data + node.size));
}

void SliceQueue::Splice(SliceQueue& other) {
  if (other.first_ == nullptr) return;
  (last_ == nullptr ? first_ : last_->next) = other.first_;
  last_ = other.last_;
  bytes_ += other.bytes_;
  other.first_ = other.last_ = nullptr;
  other.bytes_ = 0;
}

void SliceQueue::Share(const SliceQueue& other) {
  for (const Node* node = other.first_; node != nullptr; node = node->next) {
    if (node->compact)
      Append(node->block, node->data, node->size);
    else
      AppendCopy(node->data, node->size);
  }
}

void SliceQueue::Compact() {
  for (Node* node = first_; node != nullptr; node = node->next) {
    if (node->compact) continue;
    Block* block = buffers_->NewBlock(node->size);
    std::memcpy(block->data(), node->data, node->size);
    buffers_->Release(node->block);
    node->block = block;
    node->data = block->data();
    node->compact = true;
  }
}

void SliceQueue::Clear() {
  while (first_ != nullptr) PopFront();
  bytes_ = 0;
}

}  // namespace lanekeeper

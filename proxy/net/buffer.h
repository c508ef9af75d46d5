// Bytes on their way through a worker: blocks that sockets are read into, counted references to
// parts of them (slices), and queues of slices. Nothing here is thread-safe: it belongs to one
// worker's loop. Blocks for reading are pages of their own, everything else comes from the pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "proxy/base/pool.h"
#include "proxy/net/buffer_budget.h"

namespace lanekeeper {

struct Block {
  uint32_t references;
  uint32_t capacity;
  uint8_t* data() { return reinterpret_cast<uint8_t*>(this + 1); }
};

// Where a worker's blocks and nodes come from.
class Buffers {
 public:
  static constexpr uint32_t kReadBytes = 64 * 1024;
  // Blocks for reading that are kept.
  static constexpr size_t kKeptBlocks = 16;

  explicit Buffers(Pool& pool) : pool_(pool) {}
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;
  ~Buffers();

  // With one reference, the caller's.
  Block* NewReadBlock();
  Block* NewBlock(uint32_t capacity);
  void Release(Block* block) {
    if (--block->references == 0) Free(block);
  }

  Pool& pool() { return pool_; }
  // Counts the blocks that somebody refers to; what is held elsewhere is added by its owner.
  BufferBudget& budget() { return budget_; }
  const BufferBudget& budget() const { return budget_; }
  // Any thread.
  int64_t bytes_held() const { return budget_.held(); }

 private:
  void Free(Block* block);

  Pool& pool_;
  std::vector<Block*> kept_;
  BufferBudget budget_;
};

// Slices in order. Owns a reference to each of their blocks.
class SliceQueue {
 public:
  struct Node {
    Node* next;
    Block* block;
    const uint8_t* data;
    uint32_t size;
    bool compact;  // the block holds hardly more than this slice
  };

  explicit SliceQueue(Buffers& buffers) : buffers_(&buffers) {}
  SliceQueue(SliceQueue&& other) noexcept
      : buffers_(other.buffers_), first_(other.first_), last_(other.last_), bytes_(other.bytes_) {
    other.first_ = other.last_ = nullptr;
    other.bytes_ = 0;
  }
  SliceQueue& operator=(SliceQueue&&) = delete;
  ~SliceQueue() { Clear(); }

  bool empty() const { return first_ == nullptr; }
  size_t bytes() const { return bytes_; }
  const Node* first() const { return first_; }
  Pool& pool() { return buffers_->pool(); }

  // Takes a reference to the block.
  void Append(Block* block, const uint8_t* data, uint32_t size);
  // A copy of the bytes, behind others that were copied or in a block of their own.
  void AppendCopy(const uint8_t* data, size_t size);
  // All of the other's.
  void Splice(SliceQueue& other);
  // The other's bytes once more: large slices by reference, small ones as copies, which pin
  // nothing.
  void Share(const SliceQueue& other);
  // Removes bytes from the front, which must be there, and calls take(block, data, size) for each
  // piece. The block is valid during the call; take adds a reference to keep it.
  template <class Take>
  void Consume(size_t bytes, Take&& take) {
    bytes_ -= bytes;
    while (bytes > 0) {
      Node* node = first_;
      const auto piece = static_cast<uint32_t>(bytes < node->size ? bytes : node->size);
      take(node->block, node->data, piece);
      bytes -= piece;
      node->data += piece;
      node->size -= piece;
      if (node->size == 0) PopFront();
    }
  }
  // Copies what would keep a much larger block alive out of it.
  void Compact();
  void Clear();

 private:
  void Push(Block* block, const uint8_t* data, uint32_t size, bool compact);
  void PopFront();
  static size_t RoomBehind(const Node& node);

  Buffers* buffers_;
  Node* first_ = nullptr;
  Node* last_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace lanekeeper

#include "proxy/threads/block_pool.h"

#include <grpc/support/alloc.h>
#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace lanekeeper {
namespace {

// In front of each block stands the address that malloc gave, as core's own functions have it: a
// block of theirs may come to us, and one of ours to them.
void*& Origin(void* block) { return static_cast<void**>(block)[-1]; }

void* AllocateAnew(size_t bytes, size_t alignment) {
  alignment = std::max(alignment, alignof(std::max_align_t));
  // What malloc gives is a multiple of that already, so the gap is never wider.
  void* const origin = std::malloc(bytes + alignment);
  if (origin == nullptr) std::abort();
  const auto first = reinterpret_cast<uintptr_t>(origin) + sizeof(void*);
  void* const block = reinterpret_cast<void*>((first + alignment - 1) & ~(alignment - 1));
  Origin(block) = origin;
  return block;
}

bool IsAligned(void* block) {
  return reinterpret_cast<uintptr_t>(block) % BlockPool::kAlignment == 0;
}

// At most what is there behind the gap, and what was asked for if that was asked of Allocate:
// malloc gives 8 bytes or 24 more.
size_t SizeOf(void* block) {
  void* const origin = Origin(block);
  const auto gap = static_cast<size_t>(static_cast<char*>(block) - static_cast<char*>(origin));
  return malloc_usable_size(origin) - std::max(gap, BlockPool::kAlignment) - sizeof(void*);
}

}  // namespace

BlockPool::~BlockPool() {
  Close();
  for (FreeBlock* block : free_) {
    while (block != nullptr) {
      FreeBlock* const next = block->next;
      std::free(Origin(block));
      block = next;
    }
  }
}

void* BlockPool::Take(size_t units) {
  FreeBlock*& first = free_[units];
  if (first == nullptr) return nullptr;
  FreeBlock* const block = first;
  first = block->next;
  kept_bytes_ -= units * kUnit;
  return block;
}

bool BlockPool::Keep(void* block, size_t units) {
  if (!kKeeps) return false;
  while (kept_bytes_ + units * kUnit > kKeptBytesMax) GiveUpOne();
  free_[units] = new (block) FreeBlock{free_[units]};
  kept_bytes_ += units * kUnit;
  return true;
}

void BlockPool::GiveUpOne() {
  do {
    given_up_ = (given_up_ + 1) % free_.size();
  } while (free_[given_up_] == nullptr);
  std::free(Origin(Take(given_up_)));
}

void* BlockPool::Allocate(size_t bytes) {
  const size_t units = (bytes + kUnit - 1) / kUnit;
  if (units < kUnitsMin || units > kUnitsMax) return AllocateAnew(bytes, kAlignment);
  if (of_this_thread_ != nullptr) {
    if (void* const kept = of_this_thread_->Take(units)) return kept;
  }
  return AllocateAnew(units * kUnit, kAlignment);
}

void BlockPool::Free(void* block) {
  if (of_this_thread_ != nullptr && IsAligned(block)) {
    const size_t units = SizeOf(block) / kUnit;
    if (units >= kUnitsMin && units <= kUnitsMax && of_this_thread_->Keep(block, units)) return;
  }
  std::free(Origin(block));
}

}  // namespace lanekeeper

// Arenas, and little else.
void* gpr_malloc_aligned(size_t size, size_t alignment) {
  using namespace lanekeeper;
  return alignment == BlockPool::kAlignment ? BlockPool::Allocate(size)
                                            : AllocateAnew(size, alignment);
}

void gpr_free_aligned(void* block) { lanekeeper::BlockPool::Free(block); }

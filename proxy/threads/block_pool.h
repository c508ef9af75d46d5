// Blocks of memory that calls are made of, kept for the next call. Each of core's calls lives in an
// arena of 10 KB or so. malloc's caches of a thread end at 1 KB and a number of blocks; others it
// splits off and joins again: beside thousands of idle streams that goes through memory that no
// cache of the CPU holds.
//
// The functions of core through which it gets its arenas are replaced (rpc/replaced_function.h).
// Owned by a loop, used by one thread at a time, between Open and Close.
#pragma once

#include <array>
#include <cstddef>

namespace lanekeeper {

class BlockPool {
 public:
  // What a block's address is a multiple of.
  static constexpr size_t kAlignment = 64;
  // Sanitizers want to see each block come and go.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  static constexpr bool kKeeps = false;
#else
  static constexpr bool kKeeps = true;
#endif
  // How much is kept, for a few hundred calls that end before others begin.
  static constexpr size_t kKeptBytesMax = size_t{8} * 1024 * 1024;

  BlockPool() = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  // From now on, the calling thread's blocks come from here and go here.
  void Open() { of_this_thread_ = this; }
  void Close() {
    if (of_this_thread_ == this) of_this_thread_ = nullptr;
  }

  size_t kept_bytes() const { return kept_bytes_; }

  // Any thread; a block may be freed by another. Aborts when there is no memory, as core does.
  static void* Allocate(size_t bytes);
  static void Free(void* block);

 private:
  // What is written into a block that is free.
  struct FreeBlock {
    FreeBlock* next;
  };

  static constexpr size_t kUnit = 64;
  static constexpr size_t kUnitsMin = 4;  // below, malloc's own caches serve
  static constexpr size_t kUnitsMax = 512;

  void* Take(size_t units);
  bool Keep(void* block, size_t units);
  // Gives malloc one back, of any size: sizes that are no longer asked for leave so.
  void GiveUpOne();

  static inline constinit thread_local BlockPool* of_this_thread_ = nullptr;

  std::array<FreeBlock*, kUnitsMax + 1> free_{};  // by size; the last that was freed first
  size_t kept_bytes_ = 0;
  size_t given_up_ = 0;  // of this size was the last
};

// For containers whose nodes come from the pool.
template <class T>
struct PoolAllocator {
  using value_type = T;

  PoolAllocator() = default;
  template <class Other>
  PoolAllocator(const PoolAllocator<Other>&) {}

  static T* allocate(size_t count) {
    static_assert(alignof(T) <= BlockPool::kAlignment);
    return static_cast<T*>(BlockPool::Allocate(count * sizeof(T)));
  }
  static void deallocate(T* block, size_t) { BlockPool::Free(block); }

  bool operator==(const PoolAllocator&) const = default;
};

}  // namespace lanekeeper

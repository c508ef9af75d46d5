// Freelists for objects of fixed sizes, so that the steady state allocates nothing. Owned by one
// worker and used on its loop's thread only. Keeps at most kKeptBytesMax for later; the rest goes
// back to malloc at once. Whoever frees names the size that was asked for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "proxy/base/poison.h"

namespace lanekeeper {

class Pool {
 public:
  static constexpr size_t kPooledBytesMax = 2048;
  static constexpr size_t kKeptBytesMax = size_t{32} * 1024 * 1024;

  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() {
    for (Free*& list : free_) {
      while (list != nullptr) std::free(Pop(list));
    }
  }

  void* Allocate(size_t bytes) {
    if (bytes > kPooledBytesMax) return Checked(std::malloc(bytes));
    Free*& list = free_[ClassOf(bytes)];
    if (list == nullptr) return Checked(std::malloc(BytesOf(ClassOf(bytes))));
    kept_bytes_ -= BytesOf(ClassOf(bytes));
    void* block = Pop(list);
    Unpoison(block, bytes);
    return block;
  }

  void Deallocate(void* block, size_t bytes) {
    const size_t whole = BytesOf(ClassOf(bytes));
    if (bytes > kPooledBytesMax || kept_bytes_ + whole > kKeptBytesMax) return std::free(block);
    Free*& list = free_[ClassOf(bytes)];
    kept_bytes_ += whole;
    Unpoison(block, sizeof(Free));
    list = new (block) Free{list};
    Poison(block, whole);
  }

  size_t kept_bytes() const { return kept_bytes_; }

 private:
  struct Free {
    Free* next;
  };
  // What malloc hands out whole: steps of 16 bytes, 8 of which it needs for itself.
  static constexpr size_t kStep = 16;
  static constexpr size_t kOwn = 8;
  static size_t ClassOf(size_t bytes) { return (bytes + kStep - kOwn - 1) / kStep; }
  static size_t BytesOf(size_t size_class) { return size_class * kStep + kOwn; }
  static void* Checked(void* block) {
    if (block == nullptr) throw std::bad_alloc();
    return block;
  }
  static void* Pop(Free*& list) {
    Free* first = list;
    Unpoison(first, sizeof(Free));
    list = first->next;
    return first;
  }

  std::array<Free*, kPooledBytesMax / kStep + 1> free_{};
  size_t kept_bytes_ = 0;
};

// For containers whose nodes come from a pool, which outlives them.
template <class T>
struct PoolAllocator {
  using value_type = T;

  explicit PoolAllocator(Pool& from) : pool(&from) {}
  template <class U>
  PoolAllocator(const PoolAllocator<U>& other)  // NOLINT: as the standard asks
      : pool(other.pool) {}
  T* allocate(size_t count) { return static_cast<T*>(pool->Allocate(count * sizeof(T))); }
  void deallocate(T* block, size_t count) { pool->Deallocate(block, count * sizeof(T)); }
  bool operator==(const PoolAllocator&) const = default;

  Pool* pool;
};

}  // namespace lanekeeper

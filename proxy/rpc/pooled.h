// Objects that come from a worker's pool: `new (pool) T(...)`. Freed on the loop's thread.
#pragma once

#include <cstddef>

#include "proxy/base/pool.h"

namespace lanekeeper {

class Pooled {
 public:
  static void* operator new(size_t bytes, Pool& pool) {
    auto* header = static_cast<Header*>(pool.Allocate(bytes + sizeof(Header)));
    *header = {&pool, bytes};
    return header + 1;
  }
  // Called if a constructor throws.
  static void operator delete(void* object, Pool&) { Free(object); }
  static void operator delete(void* object) { Free(object); }

 private:
  struct alignas(std::max_align_t) Header {
    Pool* pool;
    size_t bytes;
  };
  static void Free(void* object) {
    Header* header = static_cast<Header*>(object) - 1;
    header->pool->Deallocate(header, header->bytes + sizeof(Header));
  }
};

}  // namespace lanekeeper

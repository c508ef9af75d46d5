// The coroutine type of the data path: starts at once and frees itself at its end. Its frame comes
// from the pool of the object whose member function it is. Not thread-safe. Exceptions end the
// process: the data path reports by value.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>

#include "proxy/base/pool.h"

namespace lanekeeper {

struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }

    // The owner is the object that the coroutine is a member function of.
    template <class Owner, class... Arguments>
    static void* operator new(size_t bytes, Owner& owner, Arguments&...) {
      Pool& pool = owner.pool();
      auto* header = static_cast<Header*>(pool.Allocate(bytes + sizeof(Header)));
      header->pool = &pool;
      return header + 1;
    }
    static void operator delete(void* frame, size_t bytes) {
      Header* header = static_cast<Header*>(frame) - 1;
      header->pool->Deallocate(header, bytes + sizeof(Header));
    }

   private:
    struct alignas(std::max_align_t) Header {
      Pool* pool;
    };
  };
};

}  // namespace lanekeeper

// A group of coroutines that run one at a time: a user-level thread. Events wake a coroutine; the
// fiber then stands in its worker's ready list until an executor runs it, on whichever OS thread
// that executor chooses. Only the thread that runs the worker's loop touches it.
#pragma once

#include <array>
#include <cassert>
#include <coroutine>
#include <cstddef>

#include "proxy/base/list.h"

namespace lanekeeper {

class FiberThread;

// Fibers that have something to do, in the order in which they got it.
using ReadyList = Link;

class Fiber : public Link {
 public:
  explicit Fiber(ReadyList& ready) : ready_(ready) {}
  ~Fiber() { Leave(); }

  // The coroutine is resumed in a later Run. Each may be woken once until then.
  void Wake(std::coroutine_handle<> coroutine) {
    assert(count_ < woken_.size());
    woken_[count_++] = coroutine;
    if (alone()) Join(ready_);
  }

  // Resumes what has been woken. The fiber must have left the list.
  void Run() {
    const auto woken = woken_;
    const size_t count = count_;
    count_ = 0;
    for (size_t i = 0; i < count; ++i) woken[i].resume();
  }

  // The OS thread that this fiber has for itself; null where it has none. The executor's.
  FiberThread* thread = nullptr;

 private:
  ReadyList& ready_;
  std::array<std::coroutine_handle<>, 4> woken_{};
  size_t count_ = 0;
};

}  // namespace lanekeeper

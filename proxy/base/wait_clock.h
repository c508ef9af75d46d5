// How long a loop has had nothing to do, in all, the wait that goes on included. Written by the
// thread that runs the loop, read by any.
#pragma once

#include <atomic>
#include <chrono>

#include "proxy/base/clock.h"

namespace lanekeeper {

class WaitClock {
 public:
  void Begin() { since_.store(InstantNow(), std::memory_order_relaxed); }
  void End() {
    const Instant since = since_.load(std::memory_order_relaxed);
    // In this order, so that who reads in between misses a wait rather than counts it twice.
    since_.store(0, std::memory_order_release);
    ended_.store(ended_.load(std::memory_order_relaxed) + InstantNow() - since,
                 std::memory_order_relaxed);
  }

  std::chrono::nanoseconds total() const {
    const Instant ended = ended_.load(std::memory_order_relaxed);
    const Instant since = since_.load(std::memory_order_acquire);
    return std::chrono::nanoseconds(since == 0 ? ended : ended + InstantNow() - since);
  }

 private:
  std::atomic<Instant> since_{0};  // 0: does not wait
  std::atomic<Instant> ended_{0};  // nanoseconds, without the wait that goes on
};

}  // namespace lanekeeper

// The time as a loop last looked at it: once per turn, so that what an event starts and ends costs
// no further look. Ticked on the loop's thread, and read there.
#pragma once

#include <chrono>
#include <cstdint>

namespace lanekeeper {

// Nanoseconds of the steady clock; never 0, which stands for "not".
using Instant = int64_t;

inline Instant InstantNow() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class LoopClock {
 public:
  LoopClock() : now_(InstantNow()) {}

  void Tick() { now_ = InstantNow(); }
  Instant now() const { return now_; }

 private:
  Instant now_;
};

}  // namespace lanekeeper

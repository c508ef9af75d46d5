// When a lane is busy, and for how long it was: what its operations wait for, told as numbers of
// the stream and of the thread that runs it. At most one operation at a time. Written on the RPC's
// thread; busy_since() and total() from any.
#pragma once

#include <chrono>

#include "proxy/base/clock.h"
#include "proxy/observe/metric_shard.h"

namespace lanekeeper {

class LaneRecorder {
 public:
  // The cells are the thread's; they and the clock outlive this.
  LaneRecorder(const LoopClock& clock, Cell& in_flight, WaitCells& waits)
      : clock_(clock), in_flight_(in_flight), waits_(waits) {}

  void Started() {
    in_flight_.Add(1);
    busy_since_.Set(clock_.now());
  }

  void Completed() {
    const int64_t took = clock_.now() - busy_since_.Get();
    in_flight_.Add(-1);
    waits_.Observe(std::chrono::nanoseconds(took));
    total_.Add(took);
    completed_at_.Set(clock_.now());
    busy_since_.Set(0);
  }

  // 0 while nothing is in flight.
  Instant busy_since() const { return busy_since_.Get(); }
  // When the last one completed; 0 if none has.
  Instant completed_at() const { return completed_at_.Get(); }
  // Of the operations that have completed.
  std::chrono::nanoseconds total() const { return std::chrono::nanoseconds(total_.Get()); }

 private:
  const LoopClock& clock_;
  Cell& in_flight_;
  WaitCells& waits_;
  Cell busy_since_;
  Cell completed_at_;
  Cell total_;
};

}  // namespace lanekeeper

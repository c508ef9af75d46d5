// What one stream is doing: its lanes, what has moved, when it was half-closed. Owned by the RPC
// and written on its thread; Look and FindStall from any thread, at any moment, without a lock.
// What they see may be a message apart between two fields.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "proxy/base/clock.h"
#include "proxy/observe/metric_shard.h"
#include "proxy/observe/stream_snapshot.h"

namespace lanekeeper {

// When silence and waiting become a stall; 0 is never.
struct StallRules {
  std::chrono::nanoseconds blocked_after{0};
  std::chrono::nanoseconds silent_after{0};
};

// The rules that are in force, which any thread may read while another changes them.
class CurrentStallRules {
 public:
  explicit CurrentStallRules(const StallRules& rules) { Set(rules); }

  void Set(const StallRules& rules) {
    blocked_after_.store(rules.blocked_after.count(), std::memory_order_relaxed);
    silent_after_.store(rules.silent_after.count(), std::memory_order_relaxed);
  }
  StallRules Get() const {
    return {std::chrono::nanoseconds(blocked_after_.load(std::memory_order_relaxed)),
            std::chrono::nanoseconds(silent_after_.load(std::memory_order_relaxed))};
  }

 private:
  std::atomic<int64_t> blocked_after_{0};
  std::atomic<int64_t> silent_after_{0};
};

// What the HTTP/2 side knows of one direction: since when its bytes cannot leave, and for whom they
// wait.
struct LaneBlock {
  Instant since = 0;  // 0: they can
  WaitingFor by = WaitingFor::kNobody;
  std::chrono::nanoseconds total{0};  // before that
};

// The same for the whole stream, at one moment.
struct StreamWaits {
  bool connected = false;  // the upstream
  std::array<LaneBlock, 2> lanes;

  const LaneBlock& lane(Direction direction) const { return lanes[static_cast<size_t>(direction)]; }
};

// When a lane is busy, and for how long it was: what its operations wait for, told as numbers of
// the stream and of the thread that runs it. At most one operation at a time. Written on the RPC's
// thread; busy_since() and total() from any.
class LaneRecorder {
 public:
  // The cells are the thread's; they and the clock outlive this.
  LaneRecorder(const LoopClock& clock, LaneCells& cells) : clock_(clock), cells_(cells) {}

  void Started() {
    cells_.in_flight.Add(1);
    busy_since_.Set(clock_.now());
  }

  void Completed() {
    const int64_t took = clock_.now() - busy_since_.Get();
    cells_.in_flight.Add(-1);
    cells_.waits.Observe(std::chrono::nanoseconds(took));
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
  LaneCells& cells_;
  Cell busy_since_;
  Cell completed_at_;
  Cell total_;
};

class StreamActivity {
 public:
  // One direction of it.
  struct Way {
    Way(Direction direction, MetricShard& metrics, const LoopClock& clock);

    LaneRecorder receive;
    LaneRecorder send;
    Cell messages;
    Cell bytes;
  };

  // The clock and the cells are the loop's, and outlive this.
  StreamActivity(MetricShard& metrics, const LoopClock& clock);
  StreamActivity(const StreamActivity&) = delete;
  StreamActivity& operator=(const StreamActivity&) = delete;
  ~StreamActivity();

  Way& way(Direction direction) { return ways_[static_cast<size_t>(direction)]; }
  // The wait of the request headers until they leave.
  LaneRecorder& start() { return start_; }

  // It waits in limits.queue from one to the other.
  void QueueEntered() { queued_since_.Set(clock_.now()); }
  void QueueLeft();
  bool queued() const { return queued_since_.Get() != 0; }
  // The requests are complete and have been passed on.
  void RequestsEnded();
  // The upstream has answered, if only with headers.
  void Answered() { answered_.Set(1); }
  void Attempted() { attempts_.Add(1); }

  // Any thread. `now` is InstantNow() of not long ago.
  LaneSnapshot Look(Direction direction, Instant now, const StreamWaits& waits) const;
  std::optional<Stall> FindStall(const StallRules& rules, Instant now,
                                 const StreamWaits& waits) const;
  Instant began() const { return began_; }
  std::chrono::nanoseconds age(Instant now) const { return std::chrono::nanoseconds(now - began_); }
  // Until the upstream took the RPC.
  std::chrono::nanoseconds start_wait() const { return start_.total(); }
  int attempts() const { return static_cast<int>(attempts_.Get()); }
  bool answered() const { return answered_.Get() != 0; }

 private:
  const Way& way(Direction direction) const { return ways_[static_cast<size_t>(direction)]; }
  // Since when its bytes, or a send, wait; 0 where nothing does.
  Instant SendsSince(Direction direction, const StreamWaits& waits) const;
  std::optional<Stall> FindSilence(std::chrono::nanoseconds after, Instant now) const;

  MetricShard& metrics_;
  const LoopClock& clock_;
  const Instant began_;
  std::array<Way, 2> ways_;
  LaneRecorder start_;
  Cell attempts_;
  Cell answered_;
  Cell requests_ended_;  // when; 0: not yet
  Cell queued_since_;    // 0: it does not wait there
};

}  // namespace lanekeeper

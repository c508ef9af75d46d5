// Looks at all open streams a few times a second and tells when one gets stuck and when it moves
// again: a number for each kind, a line in the log; with stuck.action: cancel it ends the stream.
// A thread of its own from start to end. stuck() and stalls() from any.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "config/config.h"
#include "proxy/observe/stream_snapshot.h"
#include "proxy/rpc/rpc_registry.h"

namespace lanekeeper {

class StuckDetector {
 public:
  // The registry outlives this. Starts no thread before the configuration lets something count as
  // stuck.
  StuckDetector(const StuckConfig& config, RpcRegistry& registry);
  StuckDetector(const StuckDetector&) = delete;
  StuckDetector& operator=(const StuckDetector&) = delete;
  ~StuckDetector();

  // From the next look on. One thread at a time.
  void Configure(const StuckConfig& config);

  // Streams that were stuck when it looked last, and how often streams became so.
  int64_t stuck(Direction direction, StallKind kind) const {
    return At(stuck_now_, direction, kind);
  }
  int64_t stalls(Direction direction, StallKind kind) const { return At(stalls_, direction, kind); }

  // Any thread: the RPCs that hold much of the upstream connection's window while that is spent, as
  // of the last look.
  std::vector<StreamId> window_holders() const {
    const std::lock_guard lock(holders_mutex_);
    return window_holders_;
  }

 private:
  using Counts = std::array<std::array<std::atomic<int64_t>, kStallKinds>, 2>;
  using Stalls = std::unordered_map<StreamId, Stall>;

  static int64_t At(const Counts& counts, Direction direction, StallKind kind) {
    return counts[static_cast<size_t>(direction)][static_cast<size_t>(kind)].load(
        std::memory_order_relaxed);
  }

  void Run();
  void Look();
  void TellNew(const Stalls& found);
  void Tell(StreamId id, const Stall& stall);
  bool LogStuckStream(StreamId id, const Stall& stall);
  void Cancel(StreamId id, const Stall& stall);
  void TellMoving(const Stalls& found);
  void Count(const Stalls& found);

  RpcRegistry& registry_;
  StuckAction action_ = StuckAction::kReport;  // at this look
  Stalls known_;                               // as of the last look
  mutable std::mutex holders_mutex_;
  std::vector<StreamId> window_holders_;
  Counts stuck_now_{};
  Counts stalls_{};

  std::mutex mutex_;
  std::condition_variable wake_;
  StuckConfig config_;
  bool changed_ = false;  // since the thread has seen it
  bool stopping_ = false;
  std::thread thread_;
};

// When, by the configuration, waiting becomes a stall.
StallRules StallRulesOf(const StuckConfig& config);

}  // namespace lanekeeper

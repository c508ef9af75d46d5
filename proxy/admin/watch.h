// Watching streams: what gRPC's WatchStreams and HTTP's /streams/watch have in common. Watchers
// bounds how many there are and ends them all; RunWatch is one of them, on the thread that serves
// it, until somebody ends it.
#pragma once

#include <grpcpp/support/status.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "proxy/admin/control.h"
#include "proxy/admin/proto_conversion.h"

namespace lanekeeper {

// Any thread. Outlives its slots.
class Watchers {
 public:
  struct Leave {
    void operator()(Watchers* watchers) const;
  };
  // The right to watch, as long as it lives.
  using Slot = std::unique_ptr<Watchers, Leave>;

  explicit Watchers(size_t max) : max_(max) {}

  // Null when there are as many as may be, or when all end.
  Slot Enter();
  // Why Enter gave nothing.
  grpc::Status Refusal() const;

  // Returns false at once when, or as soon as, all end.
  bool SleepUntil(std::chrono::steady_clock::time_point time);
  // Ends every watch that goes on.
  void Stop();

 private:
  const size_t max_;
  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  size_t count_ = 0;
  bool stopping_ = false;
};

// What has changed among the open streams between two looks at them. Owns the last look. One thread
// at a time.
class StreamDiff {
 public:
  using Kind = adminpb::StreamEvent::Kind;
  using OnEvent = std::function<void(Kind kind, const StreamSnapshot& stream)>;

  // What an open stream looks like now, listed or not.
  using Find = std::function<std::optional<StreamSnapshot>(StreamId id)>;

  // `now` in ascending order of ids, as Control lists them. At most one event for each stream. One
  // that is listed anew because it is stuck is STUCK. One that is no longer listed is told as it is
  // now where it is still open, and has ENDED, with what it was like at the last look, where not.
  void Look(std::vector<StreamSnapshot> now, const Find& find, const OnEvent& on_event);

 private:
  std::optional<std::vector<StreamSnapshot>> last_;  // none before the first look
};

// What to watch, checked and with the defaults filled in.
struct WatchPlan {
  StreamFilter filter;
  std::chrono::nanoseconds interval{0};
  size_t max_streams = 0;
};
grpc::Status PlanWatch(const adminpb::WatchStreamsRequest& request, WatchPlan* plan);

// Where a watch's findings go.
struct WatchPeer {
  // Whether nobody listens any more; asked a few times a second.
  std::function<bool()> gone;
  // False when it cannot be sent, which ends the watch.
  std::function<bool(const adminpb::WatchStreamsResponse& response)> send;
};

// Sends what is found as long as the peer is there and Watchers goes on; totals at least every few
// seconds, so that a dead peer is noticed.
void RunWatch(Control& control, const WatchPlan& plan, Watchers& watchers, const WatchPeer& peer);

}  // namespace lanekeeper

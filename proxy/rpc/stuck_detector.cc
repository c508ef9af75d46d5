#include "proxy/rpc/stuck_detector.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/thread_name.h"
#include "proxy/log/stream_log.h"

namespace lanekeeper {
namespace {

using std::chrono::milliseconds;

// Often enough to tell soon, and no more.
constexpr milliseconds kShortestInterval(50);
constexpr milliseconds kLongestInterval(500);

milliseconds IntervalFor(const StuckConfig& config) {
  milliseconds shortest = kLongestInterval;
  for (const milliseconds after : {config.after, config.silent_after.value_or(config.after)}) {
    if (after.count() > 0) shortest = std::min(shortest, after / 8);
  }
  return std::max(shortest, kShortestInterval);
}

// A silent upstream may be about to answer; only who is blocked is ended.
bool IsBlocked(StallKind kind) {
  return kind != StallKind::kSilentSender && kind != StallKind::kHalfClosed;
}

StatusCode CodeFor(StallKind kind) {
  switch (kind) {
    case StallKind::kStreamSlots:
      return StatusCode::kResourceExhausted;
    case StallKind::kNotConnected:
      return StatusCode::kUnavailable;
    default:
      return StatusCode::kAborted;
  }
}

// Of the others: who does not read.
constexpr auto kReasons = std::to_array<Named<StallKind>>(
    {{"the upstream allowed no further stream", StallKind::kStreamSlots},
     {"there was no connection to the upstream", StallKind::kNotConnected},
     {"it held the upstream's connection window while others waited", StallKind::kUpstreamWindow}});

std::string MessageFor(const Stall& stall) {
  std::string_view what = NameOf(kReasons, stall.kind);
  if (what.empty()) {
    what = stall.direction == Direction::kToUpstream ? "the upstream did not read"
                                                     : "the application did not read";
  }
  const auto lasted = std::chrono::duration<double>(stall.lasted).count();
  return fmt::format("lanekeeper: stuck.after passed: {} for {:.1f} s", what, lasted);
}

}  // namespace

StallRules StallRulesOf(const StuckConfig& config) {
  return {config.after, config.silent_after.value_or(config.after)};
}

StuckDetector::StuckDetector(const StuckConfig& config, RpcRegistry& registry)
    : registry_(registry) {
  Configure(config);
}

void StuckDetector::Configure(const StuckConfig& config) {
  {
    const std::lock_guard lock(mutex_);
    config_ = config;
    changed_ = true;
  }
  wake_.notify_one();
  const StallRules rules = StallRulesOf(config);
  const bool off = rules.blocked_after.count() == 0 && rules.silent_after.count() == 0;
  if (!off && !thread_.joinable()) thread_ = std::thread([this] { Run(); });
}

StuckDetector::~StuckDetector() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void StuckDetector::Run() {
  SetThreadName("lk-stuck");
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_ = false;
    action_ = config_.action;
    wake_.wait_for(lock, IntervalFor(config_), [this] { return stopping_ || changed_; });
    if (stopping_) return;
    if (changed_) continue;
    lock.unlock();
    Look();
    lock.lock();
  }
}

void StuckDetector::Look() {
  Stalls found;
  std::vector<std::pair<StreamId, int64_t>> held;
  int64_t most_held = 0;
  registry_.ForEach([&](Rpc& rpc) {
    if (const auto stall = rpc.FindStall(InstantNow())) found.emplace(rpc.id(), *stall);
    const int64_t bytes = rpc.window_held();
    if (bytes > 0) held.emplace_back(rpc.id(), bytes);
    most_held = std::max(most_held, bytes);
  });
  // Whoever holds hardly any of a spent window is its victim.
  std::vector<StreamId> holders;
  for (const auto& [id, bytes] : held) {
    if (bytes * 2 >= most_held) holders.push_back(id);
  }
  {
    const std::lock_guard lock(holders_mutex_);
    window_holders_ = std::move(holders);
  }
  TellMoving(found);
  TellNew(found);
  Count(found);
  known_ = std::move(found);
}

void StuckDetector::TellNew(const Stalls& found) {
  for (const auto& [id, stall] : found) {
    const auto known = known_.find(id);
    if (known != known_.end() && known->second.kind == stall.kind &&
        known->second.direction == stall.direction) {
      continue;
    }
    Tell(id, stall);
  }
}

void StuckDetector::Tell(StreamId id, const Stall& stall) {
  stalls_[static_cast<size_t>(stall.direction)][static_cast<size_t>(stall.kind)].fetch_add(
      1, std::memory_order_relaxed);
  if (!LogStuckStream(id, stall)) return;
  if (action_ != StuckAction::kCancel || !IsBlocked(stall.kind)) return;
  if (stall.kind != StallKind::kUpstreamWindow) return Cancel(id, stall);
  // Those that hold the window are ended, not those that wait for it.
  for (const StreamId holder : window_holders_) Cancel(holder, stall);
}

// False if the stream has just ended.
bool StuckDetector::LogStuckStream(StreamId id, const Stall& stall) {
  std::optional<StreamSnapshot> stream;
  registry_.Find(id, [&](Rpc& rpc) { stream = rpc.Snapshot(); });
  if (!stream) return false;
  stream->stall = stall;  // as it was found
  if (stall.kind == StallKind::kUpstreamWindow) stream->window_holders = window_holders_;
  if (LogStuck(*stream)) registry_.Find(id, [](Rpc& rpc) { rpc.set_told_stuck(); });
  return true;
}

void StuckDetector::Cancel(StreamId id, const Stall& stall) {
  registry_.Find(id, [&](Rpc& rpc) {
    rpc.Cancel({TerminationCause::kStuck, CodeFor(stall.kind), MessageFor(stall)});
  });
}

void StuckDetector::TellMoving(const Stalls& found) {
  for (const auto& [id, stall] : known_) {
    if (found.contains(id)) continue;
    std::optional<StreamSnapshot> stream;
    registry_.Find(id, [&](Rpc& rpc) {
      if (!rpc.interrupted()) stream = rpc.Snapshot();
    });
    if (stream) LogMovesAgain(*stream, stall);
  }
}

void StuckDetector::Count(const Stalls& found) {
  std::array<std::array<int64_t, kStallKinds>, 2> counts{};
  for (const auto& [id, stall] : found) {
    ++counts[static_cast<size_t>(stall.direction)][static_cast<size_t>(stall.kind)];
  }
  for (size_t direction = 0; direction < counts.size(); ++direction) {
    for (size_t kind = 0; kind < kStallKinds; ++kind) {
      stuck_now_[direction][kind].store(counts[direction][kind], std::memory_order_relaxed);
    }
  }
}

}  // namespace lanekeeper

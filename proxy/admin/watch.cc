#include "proxy/admin/watch.h"

#include <algorithm>
#include <string>
#include <utility>

namespace lanekeeper {
namespace {

using adminpb::StreamEvent;
using std::chrono::steady_clock;

constexpr std::chrono::nanoseconds kIntervalDefault = std::chrono::seconds(1);
constexpr std::chrono::nanoseconds kIntervalMin = std::chrono::milliseconds(100);
constexpr std::chrono::nanoseconds kIntervalMax = std::chrono::hours(1);
constexpr size_t kStreamsDefault = 1000;
constexpr size_t kStreamsMax = 10000;

// The longest silence.
constexpr auto kTotalsEvery = std::chrono::seconds(5);
// How long a peer that has gone may go unnoticed, which costs a place for a watcher.
constexpr auto kPeerCheckEvery = std::chrono::milliseconds(200);
// A message with more than this is sent, and what follows goes into the next: clients of gRPC
// refuse messages above 4 MiB unless told otherwise.
constexpr size_t kMessageBytes = 1024 * 1024;

bool Differs(const LaneSnapshot& a, const LaneSnapshot& b) {
  return a.messages != b.messages || a.state != b.state || a.waiting_for != b.waiting_for;
}

// Another reason to be stuck is news as well.
bool HasBecomeStuck(const std::optional<Stall>& before, const std::optional<Stall>& now) {
  if (!now) return false;
  return !before || before->kind != now->kind || before->direction != now->direction;
}

std::optional<StreamDiff::Kind> Compare(const StreamSnapshot& before, const StreamSnapshot& now) {
  if (HasBecomeStuck(before.stall, now.stall)) return StreamEvent::STUCK;
  if (before.stall && !now.stall) return StreamEvent::MOVING;
  if (Differs(before.to_upstream, now.to_upstream) ||
      Differs(before.to_downstream, now.to_downstream) || before.attempts != now.attempts ||
      before.answered != now.answered) {
    return StreamEvent::CHANGED;
  }
  return std::nullopt;
}

void TellUnlisted(const StreamSnapshot& before, const StreamDiff::Find& find,
                  const StreamDiff::OnEvent& on_event) {
  const std::optional<StreamSnapshot> now = find(before.id);
  if (!now) return on_event(StreamEvent::ENDED, before);
  on_event(Compare(before, *now).value_or(StreamEvent::CHANGED), *now);
}

// One watch, while it goes on.
class Watch {
 public:
  Watch(Control& control, const WatchPlan& plan, const WatchPeer& peer)
      : control_(control), plan_(plan), peer_(peer) {}

  // Both return false when the peer does not take it.
  bool Look();
  bool Send();

  bool has_events() const { return response_.events_size() > 0; }

 private:
  void Add(StreamDiff::Kind kind, const StreamSnapshot& stream);

  Control& control_;
  const WatchPlan& plan_;
  const WatchPeer& peer_;
  StreamDiff diff_;
  uint64_t matching_ = 0;
  adminpb::WatchStreamsResponse response_;
  size_t response_bytes_ = 0;
  bool failed_ = false;
};

bool Watch::Look() {
  StreamPage page = control_.ListStreams(plan_.filter, 0, plan_.max_streams);
  matching_ = page.matching;
  diff_.Look(
      std::move(page.streams), [this](StreamId id) { return control_.FindStream(id); },
      [this](StreamDiff::Kind kind, const StreamSnapshot& stream) { Add(kind, stream); });
  return !failed_;
}

void Watch::Add(StreamDiff::Kind kind, const StreamSnapshot& stream) {
  if (failed_) return;
  adminpb::StreamEvent* const event = response_.add_events();
  event->set_kind(kind);
  ToProto(stream, event->mutable_stream());
  response_bytes_ += event->ByteSizeLong();
  if (response_bytes_ >= kMessageBytes) failed_ = !Send();
}

bool Watch::Send() {
  *response_.mutable_totals() = control_.Totals();
  response_.mutable_totals()->set_streams_matching(matching_);
  const bool sent = peer_.send(response_);
  response_.Clear();
  response_bytes_ = 0;
  return sent;
}

// False when the watch is over.
bool SleepUntil(steady_clock::time_point time, Watchers& watchers, const WatchPeer& peer) {
  for (;;) {
    if (peer.gone()) return false;
    const auto now = steady_clock::now();
    if (now >= time) return true;
    if (!watchers.SleepUntil(std::min(time, now + kPeerCheckEvery))) return false;
  }
}

}  // namespace

void StreamDiff::Look(std::vector<StreamSnapshot> now, const Find& find, const OnEvent& on_event) {
  const bool first = !last_;
  const std::vector<StreamSnapshot> last = std::move(last_).value_or(std::vector<StreamSnapshot>());
  auto before = last.begin();
  for (const StreamSnapshot& stream : now) {
    for (; before != last.end() && before->id < stream.id; ++before) {
      TellUnlisted(*before, find, on_event);
    }
    if (before == last.end() || before->id != stream.id) {
      on_event(stream.stall && !first ? StreamEvent::STUCK : StreamEvent::OPENED, stream);
      continue;
    }
    if (const auto kind = Compare(*before, stream)) on_event(*kind, stream);
    ++before;
  }
  for (; before != last.end(); ++before) TellUnlisted(*before, find, on_event);
  last_ = std::move(now);
}

void Watchers::Leave::operator()(Watchers* watchers) const {
  std::lock_guard lock(watchers->mutex_);
  --watchers->count_;
}

Watchers::Slot Watchers::Enter() {
  std::lock_guard lock(mutex_);
  if (stopping_ || count_ >= max_) return nullptr;
  ++count_;
  return Slot(this);
}

grpc::Status Watchers::Refusal() const {
  std::lock_guard lock(mutex_);
  if (stopping_) return {grpc::StatusCode::UNAVAILABLE, "lanekeeper is ending"};
  return {grpc::StatusCode::RESOURCE_EXHAUSTED,
          std::to_string(max_) + " watchers are connected, which is as many as may be"};
}

bool Watchers::SleepUntil(steady_clock::time_point time) {
  std::unique_lock lock(mutex_);
  return !stopped_.wait_until(lock, time, [this] { return stopping_; });
}

void Watchers::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
}

grpc::Status PlanWatch(const adminpb::WatchStreamsRequest& request, WatchPlan* plan) {
  const std::chrono::nanoseconds interval = FromProto(request.interval());
  if (interval < std::chrono::nanoseconds(0)) {
    return Invalid("interval: expected a duration, not a negative one");
  }
  plan->interval =
      request.has_interval() ? std::clamp(interval, kIntervalMin, kIntervalMax) : kIntervalDefault;
  plan->max_streams = request.max_streams() == 0
                          ? kStreamsDefault
                          : std::min<size_t>(request.max_streams(), kStreamsMax);
  return FromProto(request.filter(), &plan->filter);
}

void RunWatch(Control& control, const WatchPlan& plan, Watchers& watchers, const WatchPeer& peer) {
  Watch watch(control, plan, peer);
  auto next_look = steady_clock::now();
  auto next_totals = next_look;
  do {
    const auto now = steady_clock::now();
    if (now >= next_look) {
      if (!watch.Look()) return;
      next_look = now + plan.interval;
    }
    if (watch.has_events() || now >= next_totals) {
      if (!watch.Send()) return;
      next_totals = now + kTotalsEvery;
    }
  } while (SleepUntil(std::min(next_look, next_totals), watchers, peer));
}

}  // namespace lanekeeper

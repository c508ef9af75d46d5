#include "proxy/rpc/stream_activity.h"

#include <algorithm>

namespace lanekeeper {
namespace {

using std::chrono::nanoseconds;

WaitCells& WaitsOf(MetricShard& metrics, Direction direction, LaneWait wait) {
  return metrics.waits[static_cast<size_t>(direction)][static_cast<size_t>(wait)];
}

// An operation may complete, or begin, while we look.
nanoseconds Since(Instant instant, Instant now) {
  return nanoseconds(instant == 0 ? 0 : std::max<Instant>(now - instant, 0));
}

bool IsLong(nanoseconds wait, nanoseconds after) { return after.count() > 0 && wait >= after; }

}  // namespace

StreamActivity::Way::Way(Direction direction, MetricShard& metrics, const LoopClock& clock)
    : receive(clock, metrics.ops_in_flight(direction, StreamOp::kReceive),
              WaitsOf(metrics, direction, LaneWait::kReceive)),
      send(clock, metrics.ops_in_flight(direction, StreamOp::kSend),
           WaitsOf(metrics, direction, LaneWait::kSend)) {}

StreamActivity::StreamActivity(MetricShard& metrics, const LoopClock& clock)
    : metrics_(metrics),
      clock_(clock),
      began_(clock.now()),
      ways_{Way(Direction::kToUpstream, metrics, clock),
            Way(Direction::kToDownstream, metrics, clock)},
      start_(clock, metrics.ops_in_flight(Direction::kToUpstream, StreamOp::kSend),
             WaitsOf(metrics, Direction::kToUpstream, LaneWait::kStart)) {
  Attempted();
}

StreamActivity::~StreamActivity() {
  if (requests_ended_.Get() != 0) metrics_.streams_half_closed.Add(-1);
}

void StreamActivity::RequestsEnded() {
  if (requests_ended_.Get() == 0) metrics_.streams_half_closed.Add(1);
  requests_ended_.Set(clock_.now());
}

nanoseconds StreamActivity::starting_for(Instant now) const {
  return Since(start_.busy_since(), now);
}

// The first message travels with the headers, and core tells only when both have left. That others
// have left that began later shows that the headers have.
Instant StreamActivity::WaitsToLeaveSince(const UpstreamView& upstream) const {
  const Instant starting = start_.busy_since();
  return upstream.ready && starting < upstream.left_up_to ? 0 : starting;
}

Instant StreamActivity::SendsSince(Direction direction, const UpstreamView& upstream) const {
  const Instant sending = way(direction).send.busy_since();
  if (sending != 0 || direction == Direction::kToDownstream) return sending;
  return WaitsToLeaveSince(upstream) == 0 ? start_.busy_since() : 0;
}

LaneSnapshot StreamActivity::Look(Direction direction, Instant now,
                                  const UpstreamView& upstream) const {
  const Way& way = this->way(direction);
  const bool to_upstream = direction == Direction::kToUpstream;
  const Instant receiving = way.receive.busy_since();
  const Instant sending = SendsSince(direction, upstream);
  const Instant starting = to_upstream ? WaitsToLeaveSince(upstream) : 0;
  const Instant ended = to_upstream ? requests_ended_.Get() : 0;

  LaneSnapshot lane;
  lane.messages = way.messages.Get();
  lane.bytes = way.bytes.Get();
  lane.sender_wait = way.receive.total();
  lane.receiver_wait = way.send.total() + Since(sending, now);
  if (starting != 0) {
    lane.state = LaneState::kWaiting;
    lane.waiting_for = upstream.ready ? WaitingFor::kStreamSlot : WaitingFor::kConnection;
    lane.state_for = Since(starting, now);
  } else if (sending != 0) {
    lane.state = LaneState::kSending;
    lane.waiting_for = WaitingFor::kReceiver;
    lane.state_for = Since(sending, now);
  } else if (ended != 0) {
    lane.state = LaneState::kHalfClosed;
    lane.waiting_for = WaitingFor::kNobody;
    lane.state_for = Since(ended, now);
  } else {
    // The receive that goes on beside a send, the lookahead, keeps nobody waiting until that ends.
    const Instant since = receiving == 0 ? 0 : std::max(receiving, way.send.completed_at());
    lane.sender_wait += Since(receiving, now);
    lane.state_for = Since(since, now);
  }
  return lane;
}

std::optional<Stall> StreamActivity::FindStall(const StallRules& rules, Instant now,
                                               const UpstreamView& upstream) const {
  const nanoseconds starting = Since(WaitsToLeaveSince(upstream), now);
  if (IsLong(starting, rules.blocked_after)) {
    return Stall{upstream.ready ? StallKind::kStreamSlots : StallKind::kNotConnected,
                 Direction::kToUpstream, starting};
  }
  if (starting.count() > 0) return std::nullopt;  // it is not the upstream's turn yet
  // The longer wait is the cause of the other, if both directions are blocked.
  const nanoseconds to_upstream = Since(SendsSince(Direction::kToUpstream, upstream), now);
  const nanoseconds to_downstream = Since(SendsSince(Direction::kToDownstream, upstream), now);
  const nanoseconds blocked = std::max(to_upstream, to_downstream);
  if (IsLong(blocked, rules.blocked_after)) {
    return Stall{StallKind::kSlowReceiver,
                 to_upstream >= to_downstream ? Direction::kToUpstream : Direction::kToDownstream,
                 blocked};
  }
  if (blocked.count() > 0) return std::nullopt;  // something is on its way
  return FindSilence(rules.silent_after, now);
}

// Only the end of the requests makes it certain that it is the upstream's turn: a stream on which
// both sides could speak is idle. So is one whose upstream has spoken since, as those that
// subscribe to events that are rare.
std::optional<Stall> StreamActivity::FindSilence(nanoseconds after, Instant now) const {
  const Instant ended = requests_ended_.Get();
  const Instant receiving = way(Direction::kToDownstream).receive.busy_since();
  if (ended == 0 || receiving == 0 || (answered() && receiving > ended)) return std::nullopt;
  const nanoseconds silent = Since(std::max(ended, receiving), now);
  if (!IsLong(silent, after)) return std::nullopt;
  return Stall{answered() ? StallKind::kHalfClosed : StallKind::kSilentSender,
               Direction::kToDownstream, silent};
}

}  // namespace lanekeeper

#include "proxy/observe/stream_activity.h"

#include <algorithm>

namespace lanekeeper {
namespace {

using std::chrono::nanoseconds;

// An operation may complete, or begin, while we look.
nanoseconds Since(Instant instant, Instant now) {
  return nanoseconds(instant == 0 ? 0 : std::max<Instant>(now - instant, 0));
}

bool IsLong(nanoseconds wait, nanoseconds after) { return after.count() > 0 && wait >= after; }

}  // namespace

StreamActivity::Way::Way(Direction direction, MetricShard& metrics, const LoopClock& clock)
    : receive(clock, metrics.lane(direction, LaneWait::kReceive)),
      send(clock, metrics.lane(direction, LaneWait::kSend)) {}

StreamActivity::StreamActivity(MetricShard& metrics, const LoopClock& clock)
    : metrics_(metrics),
      clock_(clock),
      began_(clock.now()),
      ways_{Way(Direction::kToUpstream, metrics, clock),
            Way(Direction::kToDownstream, metrics, clock)},
      start_(clock, metrics.lane(Direction::kToUpstream, LaneWait::kStart)) {
  Attempted();
}

StreamActivity::~StreamActivity() {
  if (requests_ended_.Get() != 0) metrics_.streams_half_closed.Add(-1);
}

void StreamActivity::QueueLeft() {
  metrics_.queue_waits.Observe(nanoseconds(clock_.now() - queued_since_.Get()));
  queued_since_.Set(0);
}

void StreamActivity::RequestsEnded() {
  if (requests_ended_.Get() == 0) metrics_.streams_half_closed.Add(1);
  requests_ended_.Set(clock_.now());
}

Instant StreamActivity::SendsSince(Direction direction, const StreamWaits& waits) const {
  const Instant blocked = waits.lane(direction).since;
  return blocked != 0 ? blocked : way(direction).send.busy_since();
}

LaneSnapshot StreamActivity::Look(Direction direction, Instant now,
                                  const StreamWaits& waits) const {
  const Way& way = this->way(direction);
  const LaneBlock& block = waits.lane(direction);
  const bool to_upstream = direction == Direction::kToUpstream;
  const Instant receiving = way.receive.busy_since();
  const Instant sending = SendsSince(direction, waits);
  const Instant starting = to_upstream ? start_.busy_since() : 0;
  const Instant ended = to_upstream ? requests_ended_.Get() : 0;

  LaneSnapshot lane;
  lane.messages = way.messages.Get();
  lane.bytes = way.bytes.Get();
  lane.sender_wait = way.receive.total();
  lane.receiver_wait = block.total + Since(block.since, now);
  if (const Instant queued = to_upstream ? queued_since_.Get() : 0; queued != 0) {
    lane.state = LaneState::kWaiting;
    lane.waiting_for = WaitingFor::kAdmission;
    lane.state_for = Since(queued, now);
  } else if (starting != 0) {
    lane.state = LaneState::kWaiting;
    lane.waiting_for = waits.connected ? WaitingFor::kStreamSlot : WaitingFor::kConnection;
    lane.state_for = Since(starting, now);
  } else if (sending != 0) {
    lane.state = LaneState::kSending;
    lane.waiting_for = block.since != 0 ? block.by : WaitingFor::kReceiver;
    lane.state_for = Since(sending, now);
  } else if (ended != 0) {
    lane.state = LaneState::kHalfClosed;
    lane.waiting_for = WaitingFor::kNobody;
    lane.state_for = Since(ended, now);
  } else {
    lane.sender_wait += Since(receiving, now);
    lane.state_for = Since(receiving, now);
  }
  return lane;
}

std::optional<Stall> StreamActivity::FindStall(const StallRules& rules, Instant now,
                                               const StreamWaits& waits) const {
  const nanoseconds starting = Since(start_.busy_since(), now);
  if (IsLong(starting, rules.blocked_after)) {
    return Stall{waits.connected ? StallKind::kStreamSlots : StallKind::kNotConnected,
                 Direction::kToUpstream, starting};
  }
  if (starting.count() > 0) return std::nullopt;  // it is not the upstream's turn yet
  // The longer wait is the cause of the other, if both directions are blocked.
  const nanoseconds to_upstream = Since(SendsSince(Direction::kToUpstream, waits), now);
  const nanoseconds to_downstream = Since(SendsSince(Direction::kToDownstream, waits), now);
  const nanoseconds blocked = std::max(to_upstream, to_downstream);
  if (IsLong(blocked, rules.blocked_after)) {
    const Direction direction =
        to_upstream >= to_downstream ? Direction::kToUpstream : Direction::kToDownstream;
    const bool connection = waits.lane(direction).by == WaitingFor::kConnectionWindow;
    return Stall{connection ? StallKind::kUpstreamWindow : StallKind::kSlowReceiver, direction,
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
  // It cannot have answered what had not been sent.
  const Instant sent = std::max(ended, start_.completed_at());
  const nanoseconds silent = Since(std::max(sent, receiving), now);
  if (!IsLong(silent, after)) return std::nullopt;
  return Stall{answered() ? StallKind::kHalfClosed : StallKind::kSilentSender,
               Direction::kToDownstream, silent};
}

}  // namespace lanekeeper

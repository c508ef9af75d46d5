#include "proxy/observe/stream_snapshot.h"

namespace lanekeeper {

const char* ToLabel(LaneState state) {
  switch (state) {
    case LaneState::kReceiving:
      return "receiving";
    case LaneState::kSending:
      return "sending";
    case LaneState::kWaiting:
      return "waiting";
    case LaneState::kHalfClosed:
      return "half_closed";
  }
  return "receiving";
}

const char* ToLabel(WaitingFor waiting_for) {
  switch (waiting_for) {
    case WaitingFor::kNobody:
      return "nobody";
    case WaitingFor::kSender:
      return "sender";
    case WaitingFor::kReceiver:
      return "receiver";
    case WaitingFor::kStreamSlot:
      return "stream_slot";
    case WaitingFor::kConnection:
      return "connection";
    case WaitingFor::kConnectionWindow:
      return "connection_window";
  }
  return "nobody";
}

const char* ToLabel(StallKind kind) {
  switch (kind) {
    case StallKind::kSlowReceiver:
      return "slow_receiver";
    case StallKind::kSilentSender:
      return "silent_sender";
    case StallKind::kStreamSlots:
      return "stream_slots";
    case StallKind::kNotConnected:
      return "not_connected";
    case StallKind::kHalfClosed:
      return "half_closed";
    case StallKind::kUpstreamWindow:
      return "upstream_window";
  }
  return "slow_receiver";
}

const char* ToLabel(Direction direction) {
  return direction == Direction::kToUpstream ? "to_upstream" : "to_downstream";
}

}  // namespace lanekeeper

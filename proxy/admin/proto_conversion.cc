#include "proxy/admin/proto_conversion.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace lanekeeper {
namespace {

using std::chrono::nanoseconds;

bool IsPrintable(char c) { return c >= 0x20 && c < 0x7f; }

adminpb::Lane::State Word(LaneState state) {
  switch (state) {
    case LaneState::kReceiving:
      return adminpb::Lane::RECEIVING;
    case LaneState::kSending:
      return adminpb::Lane::SENDING;
    case LaneState::kWaiting:
      return adminpb::Lane::WAITING;
    case LaneState::kHalfClosed:
      return adminpb::Lane::HALF_CLOSED;
  }
  return adminpb::Lane::STATE_UNSPECIFIED;
}

adminpb::WaitingFor Word(WaitingFor waiting_for) {
  switch (waiting_for) {
    case WaitingFor::kNobody:
      return adminpb::NOBODY;
    case WaitingFor::kSender:
      return adminpb::SENDER;
    case WaitingFor::kReceiver:
      return adminpb::RECEIVER;
    case WaitingFor::kStreamSlot:
      return adminpb::STREAM_SLOT;
    case WaitingFor::kConnection:
      return adminpb::CONNECTION;
    case WaitingFor::kConnectionWindow:
      return adminpb::CONNECTION_WINDOW;
  }
  return adminpb::NOBODY;
}

adminpb::Stall::Kind Word(StallKind kind) {
  switch (kind) {
    case StallKind::kSlowReceiver:
      return adminpb::Stall::SLOW_RECEIVER;
    case StallKind::kSilentSender:
      return adminpb::Stall::SILENT_SENDER;
    case StallKind::kStreamSlots:
      return adminpb::Stall::STREAM_SLOTS;
    case StallKind::kNotConnected:
      return adminpb::Stall::NOT_CONNECTED;
    case StallKind::kHalfClosed:
      return adminpb::Stall::HALF_CLOSED;
    case StallKind::kUpstreamWindow:
      return adminpb::Stall::UPSTREAM_WINDOW;
  }
  return adminpb::Stall::KIND_UNSPECIFIED;
}

uint64_t Count(int64_t count) { return static_cast<uint64_t>(std::max<int64_t>(count, 0)); }

void LaneToProto(const LaneSnapshot& lane, adminpb::Lane* to) {
  to->set_state(Word(lane.state));
  to->set_waiting_for(Word(lane.waiting_for));
  ToProto(lane.state_for, to->mutable_state_for());
  to->set_messages(Count(lane.messages));
  to->set_bytes(Count(lane.bytes));
  ToProto(lane.sender_wait, to->mutable_sender_wait());
  ToProto(lane.receiver_wait, to->mutable_receiver_wait());
}

void StallToProto(const Stall& stall, const std::vector<StreamId>& window_holders,
                  adminpb::Stall* to) {
  to->set_kind(Word(stall.kind));
  to->set_direction(stall.direction == Direction::kToUpstream ? adminpb::Stall::TO_UPSTREAM
                                                              : adminpb::Stall::TO_DOWNSTREAM);
  ToProto(stall.lasted, to->mutable_lasted());
  const size_t told = std::min(window_holders.size(), kWindowHoldersTold);
  for (size_t i = 0; i < told; ++i) to->add_window_holders(window_holders[i]);
}

grpc::Status StateFromProto(adminpb::Lane::State state, std::optional<LaneState>* to) {
  switch (state) {
    case adminpb::Lane::STATE_UNSPECIFIED:
      to->reset();
      return grpc::Status::OK;
    case adminpb::Lane::RECEIVING:
      *to = LaneState::kReceiving;
      return grpc::Status::OK;
    case adminpb::Lane::SENDING:
      *to = LaneState::kSending;
      return grpc::Status::OK;
    case adminpb::Lane::WAITING:
      *to = LaneState::kWaiting;
      return grpc::Status::OK;
    case adminpb::Lane::HALF_CLOSED:
      *to = LaneState::kHalfClosed;
      return grpc::Status::OK;
    default:  // an open enum: clients may send any number
      return {grpc::StatusCode::INVALID_ARGUMENT,
              "state: expected RECEIVING, SENDING, WAITING or HALF_CLOSED, not number " +
                  std::to_string(static_cast<int>(state))};
  }
}

}  // namespace

std::string Printable(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), IsPrintable)) return std::string(text);
  std::string printable;
  for (const char c : text) {
    if (IsPrintable(c))
      printable += c;
    else
      printable += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return printable;
}

void ToProto(nanoseconds duration, google::protobuf::Duration* to) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  to->set_seconds(seconds.count());
  to->set_nanos(static_cast<int32_t>((duration - seconds).count()));
}

void ToProto(std::chrono::system_clock::time_point time, google::protobuf::Timestamp* to) {
  const nanoseconds since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  to->set_seconds(seconds.count());
  to->set_nanos(static_cast<int32_t>((since - seconds).count()));
}

void ToProto(const StreamSnapshot& snapshot, adminpb::Stream* to) {
  to->set_id(snapshot.id);
  to->set_method(Printable(snapshot.method));
  to->set_downstream_peer(Printable(snapshot.downstream_peer));
  ToProto(snapshot.started, to->mutable_started());
  ToProto(snapshot.age, to->mutable_age());
  if (snapshot.deadline_left) ToProto(*snapshot.deadline_left, to->mutable_deadline_left());
  to->set_thread_kind(snapshot.thread_kind == RpcThreadKind::kUser ? adminpb::USER
                                                                   : adminpb::KERNEL);
  to->set_attempts(static_cast<uint32_t>(Count(snapshot.attempts)));
  to->set_answered(snapshot.answered);
  LaneToProto(snapshot.to_upstream, to->mutable_to_upstream());
  LaneToProto(snapshot.to_downstream, to->mutable_to_downstream());
  if (snapshot.stall) StallToProto(*snapshot.stall, snapshot.window_holders, to->mutable_stall());
}

void ToProto(const StreamTotals& totals, const std::string& upstream_address, uint64_t matching,
             adminpb::Totals* to) {
  to->set_streams_open(totals.streams_open);
  to->set_streams_half_closed(totals.streams_half_closed);
  to->set_streams_stuck(totals.streams_stuck);
  to->set_streams_awaiting_upstream(totals.streams_awaiting_upstream);
  to->set_downstream_connections(totals.downstream_connections);
  to->set_upstream_connections(totals.upstream_connections);
  to->set_upstream_state(totals.upstream_state);
  to->set_rpcs_started(totals.rpcs_started);
  to->set_messages_to_upstream(totals.messages_to_upstream);
  to->set_messages_to_downstream(totals.messages_to_downstream);
  to->set_bytes_to_upstream(totals.bytes_to_upstream);
  to->set_bytes_to_downstream(totals.bytes_to_downstream);
  to->set_draining(totals.draining);
  to->set_upstream_address(Printable(upstream_address));
  to->set_streams_matching(matching);
}

nanoseconds FromProto(const google::protobuf::Duration& duration) {
  constexpr int64_t kSecondsMax = std::numeric_limits<int64_t>::max() / 1'000'000'000 - 1;
  if (duration.seconds() > kSecondsMax) return nanoseconds::max();
  if (duration.seconds() < -kSecondsMax) return nanoseconds::min();
  return std::chrono::seconds(duration.seconds()) + nanoseconds(duration.nanos());
}

grpc::Status FromProto(const adminpb::StreamFilter& filter, StreamFilter* to) {
  to->method = filter.method();
  to->peer = filter.peer();
  to->min_age = FromProto(filter.min_age());
  to->stuck = filter.stuck();
  if (to->min_age < nanoseconds(0)) {
    return {grpc::StatusCode::INVALID_ARGUMENT, "min_age: expected a duration, not a negative one"};
  }
  return StateFromProto(filter.state(), &to->state);
}

}  // namespace lanekeeper

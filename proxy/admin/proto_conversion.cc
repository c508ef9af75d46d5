#include "proxy/admin/proto_conversion.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "config/names.h"
#include "proxy/base/text.h"

namespace lanekeeper {
namespace {

using std::chrono::nanoseconds;

// Our labels are the names that the API has, in lower case.
template <class Wire, class Enum>
Wire ToWire(Enum value) {
  return FromWord<Wire>(ToLabel(value)).value_or(Wire{});
}

uint64_t Count(int64_t count) { return static_cast<uint64_t>(std::max<int64_t>(count, 0)); }

void LaneToProto(const LaneSnapshot& lane, adminpb::Lane* to) {
  to->set_state(ToWire<adminpb::Lane::State>(lane.state));
  to->set_waiting_for(ToWire<adminpb::WaitingFor>(lane.waiting_for));
  *to->mutable_state_for() = ToProto(lane.state_for);
  to->set_messages(Count(lane.messages));
  to->set_bytes(Count(lane.bytes));
  *to->mutable_sender_wait() = ToProto(lane.sender_wait);
  *to->mutable_receiver_wait() = ToProto(lane.receiver_wait);
}

void StallToProto(const Stall& stall, const std::vector<StreamId>& window_holders,
                  adminpb::Stall* to) {
  to->set_kind(ToWire<adminpb::Stall::Kind>(stall.kind));
  to->set_direction(ToWire<adminpb::Stall::Direction>(stall.direction));
  *to->mutable_lasted() = ToProto(stall.lasted);
  const size_t told = std::min(window_holders.size(), kWindowHoldersTold);
  for (size_t i = 0; i < told; ++i) to->add_window_holders(window_holders[i]);
}

}  // namespace

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
  *to->mutable_age() = ToProto(snapshot.age);
  if (snapshot.deadline_left) *to->mutable_deadline_left() = ToProto(*snapshot.deadline_left);
  to->set_thread_kind(FromWord<adminpb::ThreadKind>(NameOf(kRpcThreadKinds, snapshot.thread_kind))
                          .value_or(adminpb::THREAD_KIND_UNSPECIFIED));
  to->set_attempts(static_cast<uint32_t>(Count(snapshot.attempts)));
  to->set_answered(snapshot.answered);
  LaneToProto(snapshot.to_upstream, to->mutable_to_upstream());
  LaneToProto(snapshot.to_downstream, to->mutable_to_downstream());
  if (snapshot.stall) StallToProto(*snapshot.stall, snapshot.window_holders, to->mutable_stall());
}

void ToProto(const ReloadOutcome& outcome, adminpb::ReloadResponse* to) {
  using adminpb::ReloadResponse;
  to->set_result(
      FromWord<ReloadResponse::Result>(std::string(NameOf(kReloadResults, outcome.result)))
          .value_or(ReloadResponse::RESULT_UNSPECIFIED));
  for (const std::string& problem : outcome.problems) to->add_problems(Printable(problem));
  for (const ConfigChange& change : outcome.changes) {
    adminpb::ConfigChange* one = to->add_changes();
    one->set_key(Printable(change.key));
    if (change.before) one->set_before(Printable(*change.before));
    if (change.after) one->set_after(Printable(*change.after));
    one->set_effect(
        FromWord<adminpb::ConfigChange::Effect>(std::string(NameOf(kChangeEffects, change.effect)))
            .value_or(adminpb::ConfigChange::EFFECT_UNSPECIFIED));
  }
}

grpc::Status Invalid(const std::string& why) { return {grpc::StatusCode::INVALID_ARGUMENT, why}; }

std::optional<StreamId> ParseStreamId(const std::string& text) {
  StreamId id = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, id);
  if (error != std::errc() || stop != end) return std::nullopt;
  return id;
}

grpc::Status FromProto(const adminpb::StreamFilter& filter, StreamFilter* to) {
  to->method = filter.method();
  to->peer = filter.peer();
  to->min_age = FromProto(filter.min_age());
  to->stuck = filter.stuck();
  if (to->min_age < nanoseconds(0)) {
    return Invalid("min_age: expected a duration, not a negative one");
  }
  to->state = ValueOf(kLabels<LaneState>, WordOf(filter.state()));
  if (to->state || filter.state() == adminpb::Lane::STATE_UNSPECIFIED) return grpc::Status::OK;
  // An open enum: clients may send any number.
  return Invalid(
      fmt::format("state: expected RECEIVING, SENDING, WAITING or HALF_CLOSED, not number {}",
                  static_cast<int>(filter.state())));
}

}  // namespace lanekeeper

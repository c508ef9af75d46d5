#include "proxy/rpc/rpc.h"

#include <fmt/format.h>
#include <grpc/support/time.h>

#include <chrono>
#include <utility>

#include "proxy/rpc/pump.h"

namespace lanekeeper {
namespace {

// How far two timers of one deadline may lie apart, besides a share of the time that has gone.
constexpr auto kDeadlineSlack = std::chrono::milliseconds(20);

constexpr char kDrainMessage[] = "lanekeeper is shutting down";

CallTarget TargetOf(const IncomingCall& incoming) {
  return {incoming.details.method, incoming.details.host, incoming.details.deadline};
}

}  // namespace

Rpc::Rpc(IncomingCall incoming, RpcEnvironment& environment, RpcLoop& loop, RpcOwner& owner)
    : loop_(loop),
      environment_(environment),
      owner_(owner),
      downstream_(std::move(incoming), loop.metrics()),
      upstream_(environment.channel, loop.queue(), TargetOf(downstream_.incoming()),
                loop.metrics()),
      recorder_(loop.metrics(), downstream_.incoming().method()) {}

void Rpc::Start() { RunToEnd(); }

Detached Rpc::RunToEnd() {
  co_await Run();
  owner_.OnRpcEnded(*this);
}

Task Rpc::Run() {
  downstream_.Watch();
  upstream_.Watch();
  TranslatedMetadata headers =
      TranslateMetadata(downstream_.incoming().metadata, environment_.metadata_size_bytes_max);
  if (headers.problem == TranslatedMetadata::Problem::kNone) {
    upstream_.StageHeaders(std::move(headers.forward), downstream_.compression());
    co_await WhenAll(ForwardRequests(), ForwardResponses(), WatchDownstream());
    co_return;
  }
  FailFor(headers, GRPC_STATUS_INVALID_ARGUMENT);
  co_await WhenAll(ForwardResponses(), WatchDownstream());
}

PumpCells Rpc::CellsOf(Direction direction) {
  const auto index = static_cast<size_t>(direction);
  MethodCells& method = recorder_.method();
  const bool requests = direction == Direction::kToUpstream;
  return {loop_.metrics().messages[index], loop_.metrics().message_bytes[index],
          requests ? &method.messages_received : nullptr,
          requests ? nullptr : &method.messages_sent};
}

Task Rpc::ForwardRequests() {
  MessageReceiver& requests = downstream_.receiver();
  requests.Start();
  // Wait for the first message or the half-close only if it is already here: then all goes out at
  // once. Otherwise the headers go alone, so that a server that speaks first can.
  co_await RpcLoop::Settle(loop_, requests.operation());
  if (requests.in_flight() && !co_await upstream_.SendHeaders()) {
    co_await requests.operation();
    co_return;
  }

  PumpEnd end;
  const PumpCells cells = CellsOf(Direction::kToUpstream);
  co_await Pump(loop_, requests, upstream_, environment_.message_bytes_max, cells, end);
  if (end.reason == PumpEnd::Reason::kMessageTooLarge) FailTooLarge(end.last);
  // A broken downstream has not half-closed: WatchDownstream cancels the upstream instead.
  if (end.reason != PumpEnd::Reason::kSourceEnded || requests.broken()) co_return;
  const std::optional<size_t> last_bytes = end.last_bytes();
  const bool sent = co_await upstream_.Finish(std::move(end.last));
  if (sent && last_bytes) cells.Sent(*last_bytes);
}

Task Rpc::ForwardResponses() {
  const bool headers_came = co_await upstream_.HeadersReceived();
  MessageReceiver& responses = upstream_.receiver();
  responses.Start();
  if (headers_came && !upstream_.trailers_only() && !own_status_ && TakeOverHeaders()) {
    co_await ForwardHeaders();
  }

  PumpEnd end;
  const PumpCells cells = CellsOf(Direction::kToDownstream);
  co_await Pump(loop_, responses, downstream_, environment_.message_bytes_max, cells, end);
  if (end.reason == PumpEnd::Reason::kMessageTooLarge) {
    FailTooLarge(end.last);
    end.last = Message();
  }
  co_await upstream_.StatusReceived();
  const RpcStatus status = TakeUpstreamStatus();
  if (end.reason == PumpEnd::Reason::kSinkEnded || downstream_.cancelled()) co_return;
  const std::optional<size_t> last_bytes = end.last_bytes();
  const bool sent = co_await downstream_.Finish(std::move(end.last), status);
  if (sent && last_bytes) cells.Sent(*last_bytes);
}

// Upstream's headers go downstream as they come. With the first message if that is here as well;
// never together with the status alone, which core would turn into a trailers-only answer.
Task Rpc::ForwardHeaders() {
  MessageReceiver& responses = upstream_.receiver();
  co_await RpcLoop::Settle(loop_, responses.operation());
  if (responses.in_flight() || responses.ended()) co_await downstream_.SendHeaders();
}

Task Rpc::WatchDownstream() {
  co_await downstream_.Closed();
  if (!downstream_.cancelled()) co_return;
  if (drained_.load(std::memory_order_relaxed)) {
    recorder_.End(TerminationCause::kDrain, GRPC_STATUS_UNAVAILABLE);
  } else if (deadline_passed()) {
    recorder_.End(TerminationCause::kDeadline, GRPC_STATUS_DEADLINE_EXCEEDED);
  } else {
    recorder_.End(TerminationCause::kClientCancel, GRPC_STATUS_CANCELLED);
  }
  upstream_.Cancel(GRPC_STATUS_CANCELLED, "CANCELLED");
}

bool Rpc::TakeOverHeaders() {
  TranslatedMetadata headers =
      TranslateMetadata(upstream_.headers(), environment_.metadata_size_bytes_max);
  if (headers.problem == TranslatedMetadata::Problem::kNone) {
    downstream_.StageHeaders(headers.forward, upstream_.compression());
    return true;
  }
  FailFor(headers, GRPC_STATUS_INTERNAL);
  return false;
}

RpcStatus Rpc::TakeUpstreamStatus() {
  RpcStatus status;
  if (!own_status_) {
    status.code = upstream_.status_code();
    status.message = upstream_.status_message();
    TranslatedMetadata trailers =
        TranslateMetadata(upstream_.trailers(), environment_.metadata_size_bytes_max);
    if (trailers.problem == TranslatedMetadata::Problem::kNone) {
      status.trailers = std::move(trailers.forward);
    } else {
      FailFor(trailers, GRPC_STATUS_INTERNAL);
    }
  }
  if (own_status_) return *own_status_;  // its cause has been recorded
  recorder_.End(CauseOf(status), status.code);
  return status;
}

TerminationCause Rpc::CauseOf(const RpcStatus& status) const {
  if (drained_.load(std::memory_order_relaxed) && status.message == kDrainMessage) {
    return TerminationCause::kDrain;
  }
  // Who notices first, an upstream that keeps the deadline itself or we, is a matter of
  // microseconds.
  const bool timed_out =
      status.code == GRPC_STATUS_DEADLINE_EXCEEDED || status.code == GRPC_STATUS_CANCELLED;
  if (timed_out && deadline_passed()) return TerminationCause::kDeadline;
  if (upstream_.status_from_peer()) return TerminationCause::kUpstreamStatus;
  if (status.code == GRPC_STATUS_RESOURCE_EXHAUSTED) return TerminationCause::kLimit;
  return TerminationCause::kUpstreamLost;
}

void Rpc::FailWith(TerminationCause cause, grpc_status_code code, std::string message) {
  recorder_.End(cause, code);
  own_status_ = RpcStatus{code, std::move(message), {}};
  upstream_.Cancel(GRPC_STATUS_CANCELLED, "CANCELLED");
}

void Rpc::FailFor(const TranslatedMetadata& metadata, grpc_status_code if_illegal) {
  const bool illegal = metadata.problem == TranslatedMetadata::Problem::kIllegal;
  FailWith(illegal ? TerminationCause::kIllegalMetadata : TerminationCause::kLimit,
           illegal ? if_illegal : GRPC_STATUS_RESOURCE_EXHAUSTED, metadata.message);
}

void Rpc::FailTooLarge(const Message& message) {
  FailWith(TerminationCause::kLimit, GRPC_STATUS_RESOURCE_EXHAUSTED,
           fmt::format("lanekeeper: message of {} bytes exceeds limits.message_size, {} bytes",
                       message.size_bytes(), environment_.message_bytes_max));
}

// Whether what has just happened is the deadline's doing. grpc-timeout is rounded up on the wire,
// by up to a hundredth, so the downstream's own timer is ahead of ours.
bool Rpc::deadline_passed() const {
  const gpr_timespec deadline = downstream_.incoming().details.deadline;
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) return false;
  const gpr_timespec now = gpr_now(deadline.clock_type);
  const auto left = std::chrono::milliseconds(gpr_time_to_millis(gpr_time_sub(deadline, now)));
  return left <= kDeadlineSlack + recorder_.age() / 50;
}

void Rpc::EndForDrain() {
  drained_.store(true, std::memory_order_relaxed);
  upstream_.Cancel(GRPC_STATUS_UNAVAILABLE, kDrainMessage);
}

void Rpc::CancelForDrain() {
  drained_.store(true, std::memory_order_relaxed);
  downstream_.Cancel(GRPC_STATUS_UNAVAILABLE, kDrainMessage);
}

}  // namespace lanekeeper

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

// A larger first message may have to wait for flow control, and must not make it look as if the
// RPC waited for a stream: its headers go ahead.
constexpr size_t kWithHeadersBytesMax = 16 * 1024;

CallTarget TargetOf(const IncomingCall& incoming) {
  return {incoming.details.method, incoming.details.host, incoming.details.deadline};
}

}  // namespace

Rpc::Rpc(StreamId id, IncomingCall incoming, RpcEnvironment& environment, RpcLoop& loop,
         RpcOwner& owner)
    : id_(id),
      loop_(loop),
      environment_(environment),
      owner_(owner),
      activity_(loop.metrics(), loop.clock()),
      downstream_(std::move(incoming), loop.metrics(), activity_),
      peer_(downstream_.incoming().peer()),
      upstream_(environment.channel, loop.queue(), TargetOf(downstream_.incoming()), loop.metrics(),
                activity_),
      recorder_(loop.metrics(), loop.clock(), downstream_.incoming().method()) {}

void Rpc::Start() { RunToEnd(); }

Detached Rpc::RunToEnd() {
  co_await Run();
  LogEnd();
  owner_.OnRpcEnded(*this);
}

Task Rpc::Run() {
  downstream_.Watch();
  upstream_->Watch();
  TranslatedMetadata headers =
      TranslateMetadata(downstream_.incoming().metadata, environment_.request_metadata);
  if (headers.problem == TranslatedMetadata::Problem::kNone) {
    AppendCompression(headers.forward, downstream_.compression());
    upstream_->StageHeaders(std::move(headers.forward));
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
          requests ? nullptr : &method.messages_sent, activity_.way(direction)};
}

Task Rpc::ForwardRequests() {
  MessageReceiver& requests = downstream_.receiver();
  requests.Start();
  // Wait for the first message or the half-close only if it is already here: then all goes out at
  // once. Otherwise the headers go alone, so that a server that speaks first can.
  co_await RpcLoop::Settle(loop_, requests.operation());
  const bool crowded = environment_.channel.starts().full();
  const bool alone = crowded || environment_.channel.starts().slow();
  if (requests.in_flight() || alone || requests.size_bytes() > kWithHeadersBytesMax) {
    Operation& start = upstream_.SendHeaders();
    if (crowded) {
      // Those that came together with us may only be on their way; in a moment we know who waits.
      co_await RpcLoop::Moment(loop_, start);
      if (start.in_flight() && environment_.channel.starts().overfull()) RefuseToWait();
    }
    co_await start;
  }

  const PumpCells cells = CellsOf(Direction::kToUpstream);
  PumpEnd end;
  co_await PumpRequests(cells, end);
  if (end.reason == PumpEnd::Reason::kMessageTooLarge) FailTooLarge(end.last.count().bytes);
  // A broken downstream has not half-closed: WatchDownstream cancels the upstream instead.
  if (end.reason == PumpEnd::Reason::kSourceEnded && !requests.broken()) {
    MessageCount last = end.last.count();
    if (upstream_.catching_up()) co_await upstream_.CaughtUp();
    const auto sent = [&] {
      cells.Sent(std::exchange(last, {}));
      activity_.RequestsEnded();
    };
    if (co_await upstream_.Finish(std::move(end.last))) sent();
    while (co_await upstream_.Next()) sent();
  }
  co_await requests.operation();
  while (co_await upstream_.Next()) {
  }
}

// Until the requests end, over as many attempts as it takes.
Task Rpc::PumpRequests(PumpCells cells, PumpEnd& end) {
  for (;;) {
    end = PumpEnd();
    co_await Pump(loop_, downstream_.receiver(), upstream_, environment_.message_bytes_max, cells,
                  end);
    if (end.reason != PumpEnd::Reason::kSinkEnded) co_return;
    // In a statement of its own: g++ 12 awaits a temporary whatever stands in front of it in ||.
    const bool again = co_await upstream_.Next();
    if (!again) co_return;
    cells.Sent(end.unsent);
  }
}

bool Rpc::CanRenewUpstream() const {
  return !own_status_ && !downstream_.cancelled() && !interrupted() && upstream_.CanRenew();
}

Task Rpc::ForwardResponses() {
  for (;;) {
    co_await upstream_->HeadersReceived();
    if (upstream_->answered()) break;
    co_await upstream_->ReceiveStatus();
    if (!CanRenewUpstream()) break;
    upstream_.Renew();
  }
  upstream_.Settle();

  PumpEnd end;
  if (upstream_->answered()) {
    activity_.Answered();
    co_await PumpResponses(end);
    co_await upstream_->ReceiveStatus();
  }
  RpcStatus status = TakeUpstreamStatus();
  if (end.reason == PumpEnd::Reason::kSinkEnded || downstream_.cancelled()) co_return;
  const MessageCount last = end.last.count();
  const bool sent = co_await downstream_.Finish(std::move(end.last), std::move(status));
  if (sent) CellsOf(Direction::kToDownstream).Sent(last);
}

// Headers first, then messages, until no more come.
Task Rpc::PumpResponses(PumpEnd& end) {
  MessageReceiver& responses = upstream_->receiver();
  responses.Start();
  if (!own_status_ && TakeOverHeaders()) co_await ForwardHeaders();
  const PumpCells cells = CellsOf(Direction::kToDownstream);
  co_await Pump(loop_, responses, downstream_, environment_.message_bytes_max, cells, end);
  if (end.reason == PumpEnd::Reason::kMessageTooLarge) {
    FailTooLarge(end.last.count().bytes);
    end.last = MessageRun();
  }
  co_await responses.operation();
}

// Upstream's headers go downstream as they come. With the first message if that is here as well;
// never together with the status alone, which core would turn into a trailers-only answer.
Task Rpc::ForwardHeaders() {
  MessageReceiver& responses = upstream_->receiver();
  co_await RpcLoop::Settle(loop_, responses.operation());
  if (responses.in_flight() || responses.ended()) co_await downstream_.SendHeaders();
}

Task Rpc::WatchDownstream() {
  co_await downstream_.Closed();
  if (!downstream_.cancelled()) co_return;
  if (interrupted()) {
    recorder_.End(interruption().cause, interruption().code);
  } else if (deadline_passed()) {
    recorder_.End(TerminationCause::kDeadline, GRPC_STATUS_DEADLINE_EXCEEDED);
  } else {
    recorder_.End(TerminationCause::kClientCancel, GRPC_STATUS_CANCELLED);
  }
  upstream_.CancelBehindHeaders(loop_);
}

bool Rpc::TakeOverHeaders() {
  TranslatedMetadata headers =
      TranslateMetadata(upstream_->headers(), environment_.response_metadata);
  if (headers.problem == TranslatedMetadata::Problem::kNone) {
    downstream_.StageHeaders(std::move(headers.forward), upstream_->compression());
    return true;
  }
  FailFor(headers, GRPC_STATUS_INTERNAL);
  return false;
}

RpcStatus Rpc::TakeUpstreamStatus() {
  RpcStatus status;
  if (!own_status_) {
    // Core would write a negative code as a huge one, which no client can read.
    status.code = upstream_->status_code() < 0 ? GRPC_STATUS_UNKNOWN : upstream_->status_code();
    status.message = upstream_->status_message();
    TranslatedMetadata trailers =
        TranslateMetadata(upstream_->trailers(), environment_.response_metadata);
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
  if (interrupted() && status.message == MessageFor(RejectReason::kDraining)) {
    return interruption().cause;
  }
  // Who notices first, an upstream that keeps the deadline itself or we, is a matter of
  // microseconds.
  const bool timed_out =
      status.code == GRPC_STATUS_DEADLINE_EXCEEDED || status.code == GRPC_STATUS_CANCELLED;
  if (timed_out && deadline_passed()) return TerminationCause::kDeadline;
  if (upstream_->status_from_peer()) return TerminationCause::kUpstreamStatus;
  if (status.code == GRPC_STATUS_RESOURCE_EXHAUSTED) return TerminationCause::kLimit;
  return TerminationCause::kUpstreamLost;
}

void Rpc::FailWith(TerminationCause cause, grpc_status_code code, std::string message) {
  recorder_.End(cause, code);
  own_status_ = RpcStatus{code, std::move(message), {}};
  upstream_.CancelBehindHeaders(loop_);
}

void Rpc::FailFor(const TranslatedMetadata& metadata, grpc_status_code if_illegal) {
  const bool illegal = metadata.problem == TranslatedMetadata::Problem::kIllegal;
  FailWith(illegal ? TerminationCause::kIllegalMetadata : TerminationCause::kLimit,
           illegal ? if_illegal : GRPC_STATUS_RESOURCE_EXHAUSTED, metadata.message);
}

void Rpc::RefuseToWait() {
  loop_.metrics().rejected[static_cast<size_t>(RejectReason::kUpstreamWaiting)].Add(1);
  FailWith(TerminationCause::kLimit, CodeFor(RejectReason::kUpstreamWaiting),
           MessageFor(RejectReason::kUpstreamWaiting));
}

void Rpc::FailTooLarge(size_t bytes) {
  FailWith(TerminationCause::kLimit, GRPC_STATUS_RESOURCE_EXHAUSTED,
           fmt::format("lanekeeper: message of {} bytes exceeds limits.message_size, {} bytes",
                       bytes, environment_.message_bytes_max));
}

// Whether what has just happened is the deadline's doing. grpc-timeout is rounded up on the wire,
// and core may write one of up to 3 % more that it has used before (hpack_encoder.cc), so the
// downstream's own timer is ahead of ours.
bool Rpc::deadline_passed() const {
  const std::optional<std::chrono::nanoseconds> left = deadline_left();
  return left && *left <= kDeadlineSlack + recorder_.age() / 20;
}

}  // namespace lanekeeper

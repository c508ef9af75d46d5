// The life of an RPC: its start, its streams' ends, its ending.
#include "proxy/rpc/rpc.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cassert>
#include <utility>

#include "proxy/grpc/timeout.h"
#include "proxy/rpc/executor.h"
#include "proxy/rpc/rpc_registry.h"

namespace lanekeeper {
namespace {

// For so long after an RPC came its grpc-timeout goes on byte for byte.
constexpr Instant kSameTimeout = 1'000'000;

// The request with what is left of its time.
http2::FieldList WithTimeout(const http2::FieldList& fields, std::chrono::nanoseconds left) {
  http2::FieldList result;
  result.Reserve(fields.size(), fields.bytes());
  for (const http2::Field field : fields) {
    if (field.name == "grpc-timeout")
      result.Add(field.name, FormatTimeout(left).view(), field.never_index);
    else
      result.Add(field);
  }
  return result;
}

}  // namespace

Rpc::Rpc(StreamId id, AdmittedPlace place, Request request, RpcEnvironment& environment,
         RpcShard& owner)
    : place_(std::move(place)),
      id_(id),
      environment_(environment),
      owner_(owner),
      request_(std::move(request)),
      fiber_(environment.loop.ready()),
      activity_(environment.metrics, environment.loop.clock()),
      recorder_(environment.metrics, environment.loop.clock(), request_.method()),
      downstream_(fiber_, environment.loop.buffers(), *this),
      upstream_(fiber_, environment.loop.buffers(), *this),
      attempts_(environment.loop.buffers()),
      requests_(environment.rules.message_bytes_max),
      responses_(environment.rules.message_bytes_max),
      deadline_(environment.loop.timers(), *this) {
  downstream_.set_source(&upstream_);
  upstream_.set_source(&downstream_);
  if (request_.content_length >= 0) downstream_.ExpectBytes(request_.content_length);
  if (request_.timeout) {
    deadline_at_ = environment_.loop.now() + request_.timeout->count();
    SetDeadline();
  }
}

Rpc::~Rpc() { environment_.executor.Release(fiber_); }

void Rpc::Start() {
  if (!place_.waits()) {
    Run();
    return;
  }
  // One that fails anyway keeps nobody waiting.
  if (request_.problem) return FailWith(*request_.problem, true);
  WaitForPlace();
}

// Without a thread, and with no more of its requests than fit its stream's window.
void Rpc::WaitForPlace() {
  activity_.QueueEntered();
  place_.Queue(*this);
  const Instant timeout = place_.queue_timeout().count();
  if (timeout == 0) return;
  const Instant due = environment_.loop.now() + timeout;
  if (deadline_at_ == 0 || due < deadline_at_) deadline_.Set(due);
}

void Rpc::LeaveQueue() {
  if (!place_.waits()) return;
  place_.GiveUp();
  if (activity_.queued()) activity_.QueueLeft();
}

void Rpc::OnPlace() {
  activity_.QueueLeft();
  SetDeadline();
  Run();
}

void Rpc::SetDeadline() {
  if (deadline_at_ != 0)
    deadline_.Set(deadline_at_);
  else
    deadline_.Cancel();
}

// What waits for the start leaves with it: the stream is opened, and what was kept goes again.
void Rpc::OnSlot(http2::Connection& connection) {
  const size_t taken = connection.header_list_bytes_taken();
  if (request_.fields.list_bytes() > taken) {
    return FailWith(
        {TerminationCause::kLimit, StatusCode::kResourceExhausted,
         fmt::format("lanekeeper: metadata of {} bytes exceeds what the upstream takes, "
                     "{} bytes",
                     request_.fields.list_bytes(), taken)},
        true);
  }
  bool opened = false;
  const Instant now = environment_.loop.now();
  if (deadline_at_ != 0 && now - activity_.began() > kSameTimeout) {
    const std::chrono::nanoseconds left(std::max<Instant>(deadline_at_ - now, 1));
    opened = connection.Open(upstream_, upstream_.Keep(WithTimeout(request_.fields, left)));
  } else {
    opened = connection.Open(upstream_, request_.fields);
  }
  activity_.start().Completed();
  if (!opened) {
    return FailWith({TerminationCause::kUpstreamLost, StatusCode::kUnavailable,
                     "lanekeeper: the upstream connection has no stream left"},
                    true);
  }
  attempts_.Started();
}

void Rpc::OnStartFailed(StatusCode code, std::string message) {
  const bool limit = code == StatusCode::kResourceExhausted;
  if (limit) {
    environment_.metrics.rejected[static_cast<size_t>(RejectReason::kUpstreamWaiting)].Add(1);
  }
  FailWith({limit ? TerminationCause::kLimit : TerminationCause::kUpstreamLost, code,
            std::move(message)},
           true);
}

void Rpc::OnDeadline() {
  if (place_.waits() && (deadline_at_ == 0 || environment_.loop.now() < deadline_at_)) {
    environment_.metrics.rejected[static_cast<size_t>(RejectReason::kQueueTimeout)].Add(1);
    return FailWith({TerminationCause::kLimit, CodeFor(RejectReason::kQueueTimeout),
                     MessageFor(RejectReason::kQueueTimeout)},
                    true);
  }
  // In the words of gRPC's own timers, any of which may have been the first.
  FailWith({TerminationCause::kDeadline, StatusCode::kDeadlineExceeded, "Deadline Exceeded"}, true);
}

void Rpc::Interrupt(const Ending& ending, bool at_once) {
  interrupted_.store(true, std::memory_order_relaxed);
  FailWith(ending, at_once);
}

// Ours in place of the upstream's status. The first ending is the one that counts, but a later one
// may cut short what the first has queued.
void Rpc::FailWith(const Ending& ending, bool at_once) {
  if (ended_ && !at_once) return;
  recorder_.End(ending.cause, static_cast<int>(ending.code));
  ended_ = true;
  CloseUpstream(Code(H2Error::kCancel));
  SendEnding(ending, at_once);
  FinishIfDone();
}

void Rpc::SendEnding(const Ending& ending, bool at_once) {
  if (downstream_.closed()) return;
  if (!downstream_.headers_sent()) {
    downstream_.SendHeaders(FieldsOf(ending, true), true);
  } else if (at_once) {
    downstream_.EndNow(FieldsOf(ending, false));
  } else {
    downstream_.End(FieldsOf(ending, false));
  }
}

// Nothing more is wanted of the upstream.
void Rpc::CloseUpstream(uint32_t code) {
  GiveUpStart();
  upstream_.Reset(code);
}

void Rpc::GiveUpStart() {
  LeaveQueue();
  attempts_.Commit(AttemptEvent::kGaveUp);
  if (!StartRequest::alone()) environment_.channel.Withdraw(*this);
  if (activity_.start().busy_since() != 0) activity_.start().Completed();
}

void Rpc::OnClosed(http2::Stream& stream) {
  if (&stream == &downstream_) {
    if (!ended_) {
      ended_ = true;
      const bool late = deadline_passed();
      recorder_.End(
          late ? TerminationCause::kDeadline : TerminationCause::kClientCancel,
          static_cast<int>(late ? StatusCode::kDeadlineExceeded : StatusCode::kCancelled));
    } else if (!recorder_.ended()) {
      recorder_.End(TerminationCause::kClientCancel, static_cast<int>(StatusCode::kCancelled));
    }
    deadline_.Cancel();
    if (stream.close_cause() == http2::CloseCause::kPeerReset)
      PassReset(stream.close_code());
    else
      CloseUpstream(Code(H2Error::kCancel));
  }
  FinishIfDone();
}

// Once more, if the upstream has certainly not seen it.
bool Rpc::StartAgain() {
  if (downstream_.closed() ||
      !attempts_.TakeAnother(upstream_.close_cause(), upstream_.close_code())) {
    return false;
  }
  environment_.metrics.upstream_retries.Add(1);
  activity_.Attempted();
  upstream_.Renew();
  SliceQueue again(environment_.loop.buffers());
  again.Share(attempts_.kept());
  upstream_.Push(again);
  if (requests_ended_) upstream_.End();
  activity_.start().Started();
  environment_.channel.Start(*this);
  return !ended_;
}

// No status came. A reset passes as it is, behind what came before it; the loss of a connection,
// which the application does not have, becomes a status.
void Rpc::UpstreamBroke() {
  attempts_.Commit(AttemptEvent::kGaveUp);
  if (upstream_.close_cause() == http2::CloseCause::kPeerReset) {
    ended_ = true;
    const uint32_t code = upstream_.close_code();
    const bool late = code == Code(H2Error::kCancel) && deadline_passed();
    recorder_.End(late ? TerminationCause::kDeadline : TerminationCause::kUpstreamLost,
                  static_cast<int>(late ? StatusCode::kDeadlineExceeded : StatusOfReset(code)));
    downstream_.ResetWhenSent(code);
    return;
  }
  const bool broken = upstream_.close_cause() == http2::CloseCause::kProtocolError;
  FailWith(
      {TerminationCause::kUpstreamLost, broken ? StatusCode::kInternal : StatusCode::kUnavailable,
       broken ? "lanekeeper: the upstream broke the rules of HTTP/2 on this stream"
              : "lanekeeper: the connection to the upstream was lost"},
      false);
}

void Rpc::OnContractViolation(const char* operation) {
  environment_.metrics.contract_violations.Add(1);
  spdlog::critical("contract violation: a second {} was started in one direction", operation);
  assert(!"one operation at a time in each direction");
}

void Rpc::FinishIfDone() {
  if (finished_ || pumps_ > 0 || !downstream_.closed() || !upstream_.closed()) return;
  finished_ = true;
  LogEnd();
  owner_.Close(*this);
}

}  // namespace lanekeeper

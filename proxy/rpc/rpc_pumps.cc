// The contract, as code: each direction receives a chunk and sends it, one of each in flight.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "proxy/grpc/metadata.h"
#include "proxy/rpc/executor.h"
#include "proxy/rpc/response_fields.h"
#include "proxy/rpc/rpc.h"

namespace lanekeeper {
namespace {

// "Method" of "/package.Service/Method".
std::string_view MethodName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Counts what has been passed on since `before`; how many messages.
int64_t CountPassed(StreamActivity& activity, MetricShard& metrics, Direction direction,
                    const MessageCounter& before, const MessageCounter& after) {
  const auto index = static_cast<size_t>(direction);
  const auto messages = static_cast<int64_t>(after.complete() - before.complete());
  const auto bytes = static_cast<int64_t>(after.payload_bytes() - before.payload_bytes());
  StreamActivity::Way& way = activity.way(direction);
  way.messages.Add(messages);
  way.bytes.Add(bytes);
  metrics.messages[index].Add(messages);
  metrics.message_bytes[index].Add(bytes);
  metrics.reserved_flags.Add(
      static_cast<int64_t>(after.reserved_flags() - before.reserved_flags()));
  return messages;
}

// Makes of a block of the upstream's, headers or trailers, what goes on; or says why it must not.
std::optional<Ending> Translate(const http2::Stream& upstream, http2::FieldList& received,
                                const RpcEnvironment& environment) {
  if (upstream.fields_too_large() ||
      received.list_bytes() > environment.rules.response_metadata_bytes_max) {
    return Ending{TerminationCause::kLimit, StatusCode::kResourceExhausted,
                  fmt::format("lanekeeper: metadata of {} bytes exceeds limits.{}, {} bytes",
                              received.list_bytes(), environment.rules.response_metadata_key,
                              environment.rules.response_metadata_bytes_max)};
  }
  if (const std::optional<std::string> illegal = TranslateResponse(received)) {
    return Ending{
        TerminationCause::kIllegalMetadata, StatusCode::kInternal,
        fmt::format("lanekeeper: metadata '{}' has a key or value that gRPC does not allow",
                    *illegal)};
  }
  return std::nullopt;
}

// Waits until the fiber is run for the first time.
struct OnFiber {
  Fiber& fiber;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> self) const { fiber.Wake(self); }
  void await_resume() const {}
};

}  // namespace

Detached Rpc::Run() {
  ++pumps_;
  co_await OnFiber{fiber_};
  Begin();
  PumpEnded();
}

// Headers leave at once, with the first bytes if those are here.
void Rpc::Begin() {
  if (ended_) return CloseUpstream(Code(H2Error::kCancel));
  if (request_.problem) return FailWith(*request_.problem, true);
  if (!environment_.executor.Enter(fiber_, MethodName(request_.method()))) {
    environment_.metrics.rejected[static_cast<size_t>(RejectReason::kNoThread)].Add(1);
    return FailWith({TerminationCause::kLimit, CodeFor(RejectReason::kNoThread),
                     MessageFor(RejectReason::kNoThread)},
                    true);
  }
  activity_.start().Started();
  environment_.channel.Start(*this);
  if (ended_) return;
  PumpRequests();
  PumpResponses();
}

Detached Rpc::PumpRequests() {
  ++pumps_;
  StreamActivity::Way& way = activity_.way(Direction::kToUpstream);
  SliceQueue chunk(environment_.loop.buffers());
  for (;;) {
    way.receive.Started();
    const http2::Received received = co_await downstream_.Receive(chunk);
    way.receive.Completed();
    if (received == http2::Received::kEnd) EndRequests();
    if (received != http2::Received::kData || ended_) break;
    const MessageCounter before = requests_;
    if (!Count(Direction::kToUpstream, requests_, chunk)) break;
    attempts_.Keep(chunk);
    way.send.Started();
    co_await upstream_.Send(std::move(chunk));
    way.send.Completed();
    CountPassed(activity_, environment_.metrics, Direction::kToUpstream, before, requests_);
    if (ended_) break;
  }
  PumpEnded();
}

Detached Rpc::PumpResponses() {
  ++pumps_;
  StreamActivity::Way& way = activity_.way(Direction::kToDownstream);
  SliceQueue chunk(environment_.loop.buffers());
  for (;;) {
    way.receive.Started();
    const http2::Received received = co_await upstream_.Receive(chunk);
    way.receive.Completed();
    if (ended_) break;
    if (received == http2::Received::kHeaders) {
      if (ForwardHeaders()) continue;
      break;
    }
    if (received == http2::Received::kClosed) {
      if (StartAgain()) continue;
      UpstreamBroke();
      break;
    }
    if (received == http2::Received::kEnd) {
      ForwardEnd();
      break;
    }
    const MessageCounter before = responses_;
    if (grpc_response_ && !Count(Direction::kToDownstream, responses_, chunk)) break;
    way.send.Started();
    const bool sent = co_await downstream_.Send(std::move(chunk));
    way.send.Completed();
    recorder_.method().messages_sent.Add(
        CountPassed(activity_, environment_.metrics, Direction::kToDownstream, before, responses_));
    if (!sent || ended_) break;
  }
  PumpEnded();
}

// With the last of its coroutines: what they ran on may run another RPC's.
void Rpc::PumpEnded() {
  if (--pumps_ > 0) return;
  environment_.executor.Release(fiber_);
  FinishIfDone();
}

// A client's reset passes as it is, behind what came before it as far as that can leave now.
void Rpc::PassReset(uint32_t code) {
  GiveUpStart();
  SliceQueue rest(environment_.loop.buffers());
  downstream_.TakeReceived(rest);
  const MessageCounter before = requests_;
  if (Count(Direction::kToUpstream, requests_, rest)) {
    upstream_.Push(rest);
    CountPassed(activity_, environment_.metrics, Direction::kToUpstream, before, requests_);
  }
  upstream_.ResetWhenSent(code, http2::Stream::ResetWait::kImpatient);
}

// Message borders pass through. False when a message is too large, before any of it is held; those
// in front of it go on.
bool Rpc::Count(Direction direction, MessageCounter& counter, SliceQueue& bytes) {
  const MessageCounter before = counter;
  bool fits = true;
  for (const SliceQueue::Node* node = bytes.first(); node != nullptr && fits; node = node->next) {
    fits = counter.Add(node->data, node->size);
  }
  if (direction == Direction::kToUpstream) {
    recorder_.method().messages_received.Add(
        static_cast<int64_t>(counter.begun() - before.begun()));
  }
  if (fits) return true;
  SliceQueue whole(environment_.loop.buffers());
  bytes.Consume(
      counter.bytes() - before.bytes(),
      [&](Block* block, const uint8_t* data, uint32_t size) { whole.Append(block, data, size); });
  if (direction == Direction::kToDownstream) {
    downstream_.Push(whole);
    const int64_t messages =
        CountPassed(activity_, environment_.metrics, direction, before, counter);
    recorder_.method().messages_sent.Add(messages);
  }
  FailWith({TerminationCause::kLimit, StatusCode::kResourceExhausted,
            fmt::format("lanekeeper: message of {} bytes exceeds limits.message_size, {} bytes",
                        counter.too_large(), counter.size_max())},
           false);
  return false;
}

// Half a message is no orderly end.
void Rpc::EndRequests() {
  if (ended_) return;
  if (requests_.mid_message()) {
    return FailWith({TerminationCause::kClientCancel, StatusCode::kInternal,
                     "lanekeeper: the requests end in the middle of a message"},
                    true);
  }
  requests_ended_ = true;
  activity_.RequestsEnded();
  upstream_.End();
}

bool Rpc::ForwardHeaders() {
  attempts_.Commit(AttemptEvent::kAnswered);
  activity_.Answered();
  http2::FieldList& received = upstream_.headers();
  const std::string_view status = received.Find(":status");
  http_status_ =
      status.size() == 3 ? (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0') : 0;
  grpc_response_ = http_status_ == 200 && IsGrpcContentType(received.Find("content-type"));
  if (upstream_.ended_with_headers()) {
    ForwardEnd();
    return false;
  }
  if (auto problem = Translate(upstream_, received, environment_)) {
    FailWith(*problem, true);
    return false;
  }
  downstream_.SendHeaders(std::move(received), false);
  return true;
}

// The upstream's END_STREAM: its trailers, its trailers-only answer, or nothing.
void Rpc::ForwardEnd() {
  const bool alone = upstream_.ended_with_headers();
  http2::FieldList& received = alone ? upstream_.headers() : upstream_.trailers();
  if (auto problem = Translate(upstream_, received, environment_)) {
    return FailWith(*problem, false);
  }
  if (grpc_response_ && responses_.mid_message() && received.Find("grpc-status") == "0") {
    return FailWith({TerminationCause::kUpstreamLost, StatusCode::kInternal,
                     "lanekeeper: the responses end in the middle of a message"},
                    false);
  }
  ended_ = true;
  RecordUpstreamStatus(received);
  if (alone)
    downstream_.SendHeaders(std::move(received), true);
  else
    downstream_.End(std::move(received));
  // Nobody reads what is still to be sent of the requests.
  CloseUpstream(Code(H2Error::kNoError));
}

// For the numbers: of several grpc-status fields the first that is no OK.
void Rpc::RecordUpstreamStatus(const http2::FieldList& fields) {
  int code = -1;
  for (const http2::Field field : fields) {
    if (field.name == "grpc-status" && code <= 0) code = ParseStatus(field.value);
  }
  if (code < 0) {
    code =
        static_cast<int>(http_status_ == 200 ? StatusCode::kUnknown : StatusOfHttp(http_status_));
  }
  const bool timed_out = code == static_cast<int>(StatusCode::kDeadlineExceeded) ||
                         code == static_cast<int>(StatusCode::kCancelled);
  const bool late = timed_out && deadline_passed();
  recorder_.End(late ? TerminationCause::kDeadline : TerminationCause::kUpstreamStatus, code);
}

}  // namespace lanekeeper

#include "proxy/downstream/not_grpc.h"

#include <memory>
#include <string_view>
#include <utility>

#include "proxy/rpc/executor.h"

namespace lanekeeper {
namespace {

constexpr std::string_view kText =
    "lanekeeper forwards gRPC: requests need the content-type application/grpc.\n";
// A request that is longer, or takes longer, gets its answer before its end.
constexpr size_t kRequestBytesMax = 64 * 1024;
constexpr Instant kPatience = 1'000'000'000;
// Of one listener at once: they count as no RPC, and a peer without a window could pile them up.
constexpr size_t kOpenMax = 100;

}  // namespace

NotGrpc::NotGrpc(DownstreamContext& context)
    : context_(context),
      environment_(context.environment),
      fiber_(environment_.loop.ready()),
      stream_(fiber_, environment_.loop.buffers(), *this),
      patience_(environment_.loop.timers(), *this) {
  ++context_.not_grpc_open;
  patience_.Set(environment_.loop.now() + kPatience);
}

NotGrpc::~NotGrpc() { environment_.executor.Release(fiber_); }

void NotGrpc::Answer(http2::Connection& connection, int32_t id, bool end, int64_t content_length,
                     DownstreamContext& context) {
  if (context.not_grpc_open >= kOpenMax) {
    http2::FieldList headers;
    headers.Add(":status", "415");
    return connection.Answer(id, headers);
  }
  auto* answer = new NotGrpc(context);
  if (content_length >= 0) answer->stream_.ExpectBytes(content_length);
  connection.Adopt(id, answer->stream_, end);
  answer->Run();
}

Detached NotGrpc::Run() {
  SliceQueue chunk(environment_.loop.buffers());
  http2::Received received = http2::Received::kData;
  size_t bytes = 0;
  while (received == http2::Received::kData && bytes <= kRequestBytesMax && !answered_) {
    received = co_await stream_.Receive(chunk);
    bytes += chunk.bytes();
    stream_.Consume(chunk.bytes());
    chunk.Clear();
  }
  SendAnswer();
  running_ = false;
  LeaveIfDone();
}

void NotGrpc::SendAnswer() {
  patience_.Cancel();
  if (std::exchange(answered_, true)) return;
  http2::FieldList headers;
  headers.Add(":status", "415");
  headers.Add("content-type", "text/plain; charset=utf-8");
  headers.Add("content-length", std::to_string(kText.size()));
  stream_.SendHeaders(headers, false);
  SliceQueue text(environment_.loop.buffers());
  text.AppendCopy(reinterpret_cast<const uint8_t*>(kText.data()), kText.size());
  stream_.Push(text);
  stream_.End();
}

void NotGrpc::OnClosed(http2::Stream&) { LeaveIfDone(); }

void NotGrpc::OnContractViolation(const char*) { environment_.metrics.contract_violations.Add(1); }

void NotGrpc::LeaveIfDone() {
  if (running_ || left_ || !stream_.closed()) return;
  left_ = true;
  --context_.not_grpc_open;
  environment_.loop.Retire(std::unique_ptr<NotGrpc>(this));
}

}  // namespace lanekeeper

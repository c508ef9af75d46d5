#include "proxy/downstream/server_call.h"

#include <grpc/slice.h>
#include <grpc/support/alloc.h>

#include <cstring>
#include <span>
#include <utility>

#include "proxy/rpc/core_symbols.h"
#include "proxy/rpc/send_ops.h"

namespace lanekeeper {

IncomingCall::IncomingCall() {
  grpc_call_details_init(&details);
  grpc_metadata_array_init(&metadata);
}

IncomingCall::IncomingCall(IncomingCall&& other) noexcept
    : call(std::exchange(other.call, nullptr)), details(other.details), metadata(other.metadata) {
  grpc_call_details_init(&other.details);
  grpc_metadata_array_init(&other.metadata);
}

IncomingCall& IncomingCall::operator=(IncomingCall&& other) noexcept {
  std::swap(call, other.call);
  std::swap(details, other.details);
  std::swap(metadata, other.metadata);
  return *this;
}

IncomingCall::~IncomingCall() {
  grpc_call_details_destroy(&details);
  grpc_metadata_array_destroy(&metadata);
  if (call != nullptr) grpc_call_unref(call);
}

std::string_view IncomingCall::traceparent() const {
  for (const grpc_metadata& entry : std::span(metadata.metadata, metadata.count)) {
    if (ViewOf(entry.key) == "traceparent") return ViewOf(entry.value);
  }
  return {};
}

std::string IncomingCall::peer() const {
  char* text = grpc_call_get_peer(call);
  std::string peer(text);
  gpr_free(text);
  return peer;
}

ServerCall::ServerCall(IncomingCall incoming, MetricShard& metrics, StreamActivity& activity)
    : incoming_(std::move(incoming)),
      closed_({"downstream end", nullptr, &metrics.contract_violations}),
      receiver_(incoming_.call,
                {"downstream receive", &activity.way(Direction::kToUpstream).receive,
                 &metrics.contract_violations}),
      sender_(incoming_.call, {"downstream send", &activity.way(Direction::kToDownstream).send,
                               &metrics.contract_violations}) {}

ServerCall::~ServerCall() = default;

void ServerCall::Watch() {
  grpc_op op{};
  op.op = GRPC_OP_RECV_CLOSE_ON_SERVER;
  op.data.recv_close_on_server.cancelled = &cancelled_;
  closed_.Start(incoming_.call, {&op, 1});
}

void ServerCall::StageHeaders(Metadata headers, const Compression& compression) {
  staged_ = std::move(headers);
  AppendCompression(staged_, compression);
  headers_ = Headers::kStaged;
}

grpc_op ServerCall::HeadersOp() {
  headers_ = Headers::kSent;
  return InitialMetadataOp(staged_, 0);
}

Operation& ServerCall::SendHeaders() {
  const grpc_op op = HeadersOp();
  sender_.Start(incoming_.call, {&op, 1});
  return Started();
}

Operation& ServerCall::Send(MessageRun run, bool more_follows) {
  if (headers_ == Headers::kSent) {
    sender_.Send(nullptr, std::move(run), more_follows);
  } else {
    const grpc_op headers = HeadersOp();
    sender_.Send(&headers, std::move(run), more_follows);
  }
  return Started();
}

Operation& ServerCall::Finish(MessageRun last, RpcStatus status) {
  const Message run = last.Join();
  grpc_op ops[3];
  size_t count = 0;
  if (headers_ != Headers::kSent) ops[count++] = HeadersOp();
  if (run) ops[count++] = MessageOp(run, false);

  // Core copies the message and the trailers while it starts the batch.
  grpc_slice message = grpc_slice_from_static_buffer(status.message.data(), status.message.size());
  grpc_op& op = ops[count++];
  op = grpc_op{};
  op.op = GRPC_OP_SEND_STATUS_FROM_SERVER;
  op.data.send_status_from_server.trailing_metadata_count = status.trailers.size();
  op.data.send_status_from_server.trailing_metadata = status.trailers.data();
  static_assert(sizeof status.code == sizeof op.data.send_status_from_server.status);
  std::memcpy(&op.data.send_status_from_server.status, &status.code, sizeof status.code);
  op.data.send_status_from_server.status_details = status.message.empty() ? nullptr : &message;
  sender_.Start(incoming_.call, {ops, count});
  return Started();
}

// Core takes the slices of messages and metadata over, or copies them, before this returns.
Operation& ServerCall::Started() {
  if (headers_ == Headers::kSent) Metadata().swap(staged_);
  return sender_;
}

void ServerCall::Cancel(grpc_status_code code, const char* message) {
  grpc_call_cancel_with_status(incoming_.call, code, message, nullptr);
}

}  // namespace lanekeeper

#include "proxy/upstream/client_call.h"

#include <grpc/slice.h>
#include <grpc/support/alloc.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "proxy/rpc/core_symbols.h"
#include "proxy/rpc/send_ops.h"
#include "proxy/upstream/local_status.h"

namespace lanekeeper {
namespace {

constexpr std::array<int, 4> kBrokenStreamCodes = {GRPC_STATUS_UNAVAILABLE, GRPC_STATUS_CANCELLED,
                                                   GRPC_STATUS_INTERNAL, GRPC_STATUS_UNKNOWN};

// How core's transport begins the message of a status that it made up for a broken stream.
constexpr std::array<std::string_view, 8> kBrokenStreamTexts = {
    "Socket closed",  "Connection reset", "Broken pipe",        "Received RST_STREAM",
    "Stream removed", "recvmsg:",         "keepalive watchdog", "Transport closed"};

// The marked texts (local_status.h) but one say that the RPC never reached the upstream, or that
// the upstream will not look at it.
constexpr std::string_view kRefusedText = "Received RST_STREAM with error code 7";

}  // namespace

ClientCall::ClientCall(SharedChannel& channel, grpc_completion_queue* queue,
                       const CallTarget& target, MetricShard& metrics, StreamActivity& activity)
    : channel_(channel),
      activity_(activity),
      call_(channel.CreateCall(queue, target)),
      status_message_(grpc_empty_slice()),
      // The headers are the first thing that the downstream waits for.
      headers_received_({"upstream headers", &activity.way(Direction::kToDownstream).receive,
                         &metrics.contract_violations}),
      receiver_(call_, {"upstream receive", &activity.way(Direction::kToDownstream).receive,
                        &metrics.contract_violations}),
      status_received_({"upstream status", nullptr, &metrics.contract_violations}),
      sender_(*this, call_,
              {"upstream send", &activity.way(Direction::kToUpstream).send,
               &metrics.contract_violations}) {
  grpc_metadata_array_init(&initial_metadata_);
  grpc_metadata_array_init(&trailing_metadata_);
}

ClientCall::~ClientCall() {
  if (waiting_) channel_.starts().Leave();  // core refused the batch
  grpc_metadata_array_destroy(&initial_metadata_);
  grpc_metadata_array_destroy(&trailing_metadata_);
  grpc_slice_unref(status_message_);
  gpr_free(const_cast<char*>(error_text_));
  grpc_call_unref(call_);
}

grpc_op ClientCall::HeadersOp() {
  headers_sent_ = true;
  waiting_ = true;
  channel_.starts().Enter();
  sender_.ReportTo(activity_.start());
  return InitialMetadataOp(staged_, channel_.headers_flags());
}

// The first batch waits for more than the receiver.
bool ClientCall::AddHeaders(grpc_op& op) {
  if (headers_sent_) {
    sender_.ReportTo(activity_.way(Direction::kToUpstream).send);
    return false;
  }
  op = HeadersOp();
  return true;
}

void ClientCall::OnSent(bool ok) {
  if (!waiting_) return;
  waiting_ = false;
  if (ok) channel_.starts().Left(activity_.start().busy_since());
  channel_.starts().Leave();
  if (cancel_held_) CancelHeld();
}

void ClientCall::CancelBehindHeaders(RpcLoop& loop) {
  // Nor does a stream have anything to reset before there is a connection.
  const bool headers_may_be_leaving = waiting_ && channel_.ready();
  if (!headers_may_be_leaving) return Cancel(GRPC_STATUS_CANCELLED, "CANCELLED");
  if (cancel_held_) return;
  cancel_held_ = true;
  held_cancel_.Schedule(loop, RpcLoop::Delay::kLong);
}

void ClientCall::CancelHeld() {
  held_cancel_.CallOff();
  Cancel(GRPC_STATUS_CANCELLED, "CANCELLED");
}

Operation& ClientCall::SendHeaders() {
  const grpc_op op = HeadersOp();
  sender_.Start(call_, {&op, 1});
  return sender_;
}

Operation& ClientCall::Send(MessageRun run, bool more_follows) {
  grpc_op headers;
  const bool with_headers = AddHeaders(headers);
  sender_.Send(with_headers ? &headers : nullptr, std::move(run), more_follows);
  return sender_;
}

Operation& ClientCall::Finish(MessageRun last) {
  const Message run = last.Join();
  grpc_op ops[3];
  size_t count = 0;
  if (AddHeaders(ops[0])) ++count;
  if (run) ops[count++] = MessageOp(run, false);
  grpc_op& close = ops[count++];
  close = grpc_op{};
  close.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
  sender_.Start(call_, {ops, count});
  return sender_;
}

void ClientCall::Watch() {
  grpc_op headers{};
  headers.op = GRPC_OP_RECV_INITIAL_METADATA;
  headers.data.recv_initial_metadata.recv_initial_metadata = &initial_metadata_;
  headers_received_.Start(call_, {&headers, 1});
}

Operation& ClientCall::ReceiveStatus() {
  grpc_op status{};
  status.op = GRPC_OP_RECV_STATUS_ON_CLIENT;
  status.data.recv_status_on_client.trailing_metadata = &trailing_metadata_;
  status.data.recv_status_on_client.status = &status_code_;
  status.data.recv_status_on_client.status_details = &status_message_;
  status.data.recv_status_on_client.error_string = &error_text_;
  status_received_.Start(call_, {&status, 1});
  return status_received_;
}

bool ClientCall::answered() const {
  return headers_received_.ok() && !grpc_call_is_trailers_only(call_);
}

int ClientCall::status_code() const {
  static_assert(sizeof status_code_ == sizeof(int));
  int code = 0;
  std::memcpy(&code, &status_code_, sizeof code);  // to read it as the enum would be undefined
  return code;
}

std::string_view ClientCall::status_message() const {
  return WithoutMark(ViewOf(status_message_)).text;
}

ClientCall::Loss ClientCall::loss() const {
  const StatusText status = WithoutMark(ViewOf(status_message_));
  if (!status.local_mark || answered()) return Loss::kMayHaveBeenProcessed;
  return status.text == kRefusedText ? Loss::kRefused : Loss::kNotSeen;
}

bool ClientCall::status_from_peer() const {
  if (status_code() == GRPC_STATUS_OK) return true;
  // Said of statuses that the transport delivered: off the wire, or made up when the stream broke.
  if (error_text_ == nullptr || std::strstr(error_text_, "Error received from peer") == nullptr) {
    return false;
  }
  if (std::find(kBrokenStreamCodes.begin(), kBrokenStreamCodes.end(), status_code()) ==
      kBrokenStreamCodes.end()) {
    return true;
  }
  const std::string_view message = status_message();
  return std::none_of(kBrokenStreamTexts.begin(), kBrokenStreamTexts.end(),
                      [&](std::string_view text) { return message.starts_with(text); });
}

void ClientCall::StopReporting() {
  for (Operation* lane : {&headers_received_, &receiver_.operation()}) lane->StopReporting();
  sender_.StopReporting();
}

void ClientCall::Cancel(grpc_status_code code, const char* message) {
  grpc_call_cancel_with_status(call_, code, message, nullptr);
}

}  // namespace lanekeeper

#include <grpc/grpc_security.h>

#include <stdexcept>

#include "tests/conformance/generated/peers.h"

namespace lanekeeper::testing {

ServerPeer::~ServerPeer() {
  CancelAndWait();
  grpc_call_details_destroy(&details_);
}

std::vector<grpc_op> ServerPeer::HeadersIfUnsent(CoreMetadata& headers) {
  if (std::exchange(headers_sent_, true)) return {};
  grpc_op op{};
  op.op = GRPC_OP_SEND_INITIAL_METADATA;
  op.data.send_initial_metadata.count = headers.array()->count;
  op.data.send_initial_metadata.metadata = headers.array()->metadata;
  return {op};
}

bool ServerPeer::SendHeaders(const MetadataPairs& headers) {
  CoreMetadata metadata(headers);
  return CoreCall::Send(HeadersIfUnsent(metadata), {});
}

bool ServerPeer::Send(const MetadataPairs& headers, const Step& step) {
  CoreMetadata metadata(headers);
  return CoreCall::Send(HeadersIfUnsent(metadata), step.message);
}

bool ServerPeer::Finish(const Plan& plan, const MetadataPairs& headers, const Step& step) {
  CoreMetadata metadata(headers);
  CoreMetadata trailers(plan.trailers);
  std::vector<grpc_op> ops = HeadersIfUnsent(metadata);
  grpc_slice message =
      grpc_slice_from_copied_buffer(plan.status_message.data(), plan.status_message.size());
  grpc_op& op = ops.emplace_back();
  op = grpc_op{};
  op.op = GRPC_OP_SEND_STATUS_FROM_SERVER;
  op.data.send_status_from_server.status = static_cast<grpc_status_code>(plan.status_code);
  op.data.send_status_from_server.status_details = plan.status_message.empty() ? nullptr : &message;
  op.data.send_status_from_server.trailing_metadata_count = trailers.array()->count;
  op.data.send_status_from_server.trailing_metadata = trailers.array()->metadata;
  const bool sent = CoreCall::Send(std::move(ops), step.message);
  grpc_slice_unref(message);
  return sent;
}

CoreServer::CoreServer() : arrivals_(grpc_completion_queue_create_for_next(nullptr)) {
  std::vector<grpc_arg> list;
  for (const auto& [key, value] : {std::pair(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1),
                                   std::pair(GRPC_ARG_MAX_METADATA_SIZE, 1024 * 1024),
                                   std::pair(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
                                   std::pair(GRPC_ARG_ALLOW_REUSEPORT, 0)}) {
    grpc_arg& arg = list.emplace_back();
    arg.type = GRPC_ARG_INTEGER;
    arg.key = const_cast<char*>(key);
    arg.value.integer = value;
  }
  const grpc_channel_args args{list.size(), list.data()};
  server_ = grpc_server_create(&args, nullptr);
  grpc_server_register_completion_queue(server_, arrivals_, nullptr);
  grpc_server_credentials* const credentials = grpc_insecure_server_credentials_create();
  port_ = grpc_server_add_http2_port(server_, "127.0.0.1:0", credentials);
  grpc_server_credentials_release(credentials);
  if (port_ == 0) throw std::runtime_error("the server cannot listen");
  grpc_server_start(server_);
  Post();
}

CoreServer::~CoreServer() {
  grpc_server_shutdown_and_notify(server_, arrivals_, nullptr);
  grpc_server_cancel_all_calls(server_);
  const gpr_timespec forever = gpr_inf_future(GPR_CLOCK_MONOTONIC);
  // The posted call and the shutdown, in either order.
  for (int left = 2; left > 0; --left) {
    grpc_completion_queue_next(arrivals_, forever, nullptr);
  }
  posted_.reset();
  grpc_server_destroy(server_);
  grpc_completion_queue_shutdown(arrivals_);
  while (grpc_completion_queue_next(arrivals_, forever, nullptr).type != GRPC_QUEUE_SHUTDOWN) {
  }
  grpc_completion_queue_destroy(arrivals_);
}

void CoreServer::Post() {
  posted_.reset(new ServerPeer);
  grpc_server_request_call(server_, &posted_->call_, &posted_->details_, posted_->metadata_.array(),
                           posted_->queue_, arrivals_, posted_.get());
}

std::unique_ptr<ServerPeer> CoreServer::Accept(const std::string& method,
                                               std::chrono::milliseconds patience) {
  const gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                             gpr_time_from_millis(patience.count(), GPR_TIMESPAN));
  for (;;) {
    const grpc_event event = grpc_completion_queue_next(arrivals_, deadline, nullptr);
    if (event.type != GRPC_OP_COMPLETE || event.success == 0) return nullptr;
    std::unique_ptr<ServerPeer> arrived = std::move(posted_);
    Post();
    if (StringOf(arrived->details_.method) != method) continue;
    grpc_op op{};
    op.op = GRPC_OP_RECV_CLOSE_ON_SERVER;
    op.data.recv_close_on_server.cancelled = &arrived->cancelled_;
    arrived->Start(ServerPeer::Lane::kEnd, {&op, 1});
    return arrived;
  }
}

}  // namespace lanekeeper::testing

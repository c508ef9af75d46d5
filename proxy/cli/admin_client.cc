#include "proxy/cli/admin_client.h"

#include <fmt/format.h>
#include <grpc/support/log.h>

#include <algorithm>
#include <limits>
#include <string_view>

#include "proxy/cli/format.h"

namespace lanekeeper {
namespace {

// A page of 1000 streams whose methods are as long as the daemon's metadata may be.
constexpr int kAnswerBytesMax = 64 * 1024 * 1024;

// As many as the daemon gives at once: for each page it looks at all of its streams.
constexpr uint64_t kPageSize = 10000;

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  // A proxy for the way out of the cluster has no business between us and a neighbour.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kAnswerBytesMax);
  return arguments;
}

// gRPC puts the system's reason last: "...: Failed to connect to remote host: Connection refused".
std::string_view LastReason(std::string_view message) {
  const size_t colon = message.rfind(": ");
  return colon == std::string_view::npos ? message : message.substr(colon + 2);
}

}  // namespace

AdminClient::AdminClient(std::string address, std::stop_token stop)
    : address_(std::move(address)), stop_(std::move(stop)) {
  // What goes wrong is told once, by the command.
  gpr_set_log_function([](gpr_log_func_args*) {});
  channel_ = grpc::CreateCustomChannel(address_, grpc::InsecureChannelCredentials(), Arguments());
  stub_ = admin::v1::Admin::NewStub(channel_);
}

grpc::Status AdminClient::ForEachPage(
    const admin::v1::StreamFilter& filter, std::optional<uint64_t> limit,
    const std::function<bool(const admin::v1::ListStreamsResponse&)>& take) {
  uint64_t left = limit.value_or(std::numeric_limits<uint64_t>::max());
  admin::v1::ListStreamsRequest request;
  *request.mutable_filter() = filter;
  do {
    request.set_page_size(static_cast<uint32_t>(std::min(left, kPageSize)));
    admin::v1::ListStreamsResponse page;
    grpc::Status status = Call(&AdminStub::ListStreams, request, &page);
    if (!status.ok()) return status;
    left -= std::min<uint64_t>(left, page.streams_size());
    if (!take(page)) break;
    request.set_page_token(page.next_page_token());
  } while (left > 0 && !request.page_token().empty());
  return grpc::Status::OK;
}

grpc::Status AdminClient::Connect() {
  const auto deadline = std::chrono::system_clock::now() + kConnectTimeout;
  while (!stop_.stop_requested()) {
    const grpc_connectivity_state state = channel_->GetState(/*try_to_connect=*/true);
    if (state == GRPC_CHANNEL_READY || state == GRPC_CHANNEL_TRANSIENT_FAILURE) break;
    if (!channel_->WaitForStateChange(state, deadline)) {
      return grpc::Status(grpc::StatusCode::UNAVAILABLE,
                          fmt::format("no connection within {} ms", kConnectTimeout.count()));
    }
  }
  return grpc::Status::OK;
}

std::unique_ptr<grpc::ClientReader<admin::v1::WatchStreamsResponse>> AdminClient::Watch(
    grpc::ClientContext* context, const admin::v1::WatchStreamsRequest& request) {
  return stub_->WatchStreams(context, request);
}

std::string AdminClient::WhyFailed(const grpc::Status& status) const {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return fmt::format("not reachable at {}: {}", Escape(address_),
                         Escape(LastReason(status.error_message())));
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return fmt::format("no answer from {} within {} s", Escape(address_), kCallTimeout.count());
    case grpc::StatusCode::UNIMPLEMENTED:
      return fmt::format("no lanekeeper of this version answers at {}", Escape(address_));
    default:
      return fmt::format("{} refused: {}", Escape(address_), Escape(status.error_message()));
  }
}

}  // namespace lanekeeper

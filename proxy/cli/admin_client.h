// The control address of a running lanekeeper, and why a call to it has failed. Owns the
// connection, which is made at the first call; one thread at a time. Every call but a watch ends
// within kCallTimeout.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>

#include "protos/lanekeeper/admin/v1/admin.grpc.pb.h"

namespace lanekeeper {

using AdminStub = admin::v1::Admin::Stub;

class AdminClient {
 public:
  static constexpr std::chrono::seconds kCallTimeout{5};
  // For the connection itself, so that a wrong address is told quickly.
  static constexpr std::chrono::milliseconds kConnectTimeout{1500};

  // `address` is HOST:PORT or unix:///path. A request to stop cancels the call that runs.
  explicit AdminClient(std::string address, std::stop_token stop = {});

  // Any unary method of the stub: Call(&AdminStub::GetStream, request, &answer).
  template <typename Request, typename Answer>
  grpc::Status Call(grpc::Status (AdminStub::*method)(grpc::ClientContext*, const Request&,
                                                      Answer*),
                    const std::type_identity_t<Request>& request, Answer* answer) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
    const std::stop_callback cancel(stop_, [&context] { context.TryCancel(); });
    if (grpc::Status connected = Connect(); !connected.ok()) return connected;
    return (stub_.get()->*method)(&context, request, answer);
  }

  // Open streams, page by page: hands each page to `take`, until there are no more, `limit` streams
  // have been seen, or `take` returns false.
  grpc::Status ForEachPage(const admin::v1::StreamFilter& filter, std::optional<uint64_t> limit,
                           const std::function<bool(const admin::v1::ListStreamsResponse&)>& take);

  // Returns when there is a connection or an attempt has failed, which the next call then tells, or
  // fails when kConnectTimeout has passed.
  grpc::Status Connect();

  // Until the daemon ends it; `context` is the caller's, to outlive the reader. Connect() first.
  std::unique_ptr<grpc::ClientReader<admin::v1::WatchStreamsResponse>> Watch(
      grpc::ClientContext* context, const admin::v1::WatchStreamsRequest& request);

  // In one line, without control characters.
  std::string WhyFailed(const grpc::Status& status) const;

  const std::string& address() const { return address_; }
  const std::stop_token& stop() const { return stop_; }

 private:
  const std::string address_;
  const std::stop_token stop_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<AdminStub> stub_;
};

}  // namespace lanekeeper

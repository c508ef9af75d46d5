// The two ends of a generated RPC.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tests/conformance/generated/core_call.h"
#include "tests/conformance/routes.h"

namespace lanekeeper::testing {

// A channel of core's to a route; messages are shown as they are on the wire.
class CoreChannel {
 public:
  explicit CoreChannel(const std::string& target);
  CoreChannel(const CoreChannel&) = delete;
  CoreChannel& operator=(const CoreChannel&) = delete;
  ~CoreChannel() { grpc_channel_destroy(channel_); }
  grpc_channel* get() const { return channel_; }

 private:
  grpc_channel* channel_;
};

class ClientPeer final : public CoreCall {
 public:
  ClientPeer(const CoreChannel& channel, const std::string& method, gpr_timespec deadline);
  ~ClientPeer();

  void StartCall(const MetadataPairs& headers, const Step& step);
  bool Send(const Step& step);
  bool HalfClose();
  bool AwaitHeaders() { return Await(Lane::kHeaders); }
  bool AwaitStatus() { return Await(Lane::kEnd); }

  // Once awaited.
  MetadataPairs headers() const { return headers_.pairs(); }
  bool trailers_only() const;
  int status_code() const;
  std::string status_message() const { return StringOf(status_message_); }
  MetadataPairs trailers() const { return trailers_.pairs(); }

 private:
  CoreMetadata headers_, trailers_;
  grpc_status_code status_code_ = GRPC_STATUS_OK;
  grpc_slice status_message_ = grpc_empty_slice();
  const char* error_text_ = nullptr;
};

class ServerPeer final : public CoreCall {
 public:
  ~ServerPeer();

  std::string authority() const { return StringOf(details_.host); }
  gpr_timespec deadline() const { return details_.deadline; }
  MetadataPairs metadata() const { return metadata_.pairs(); }

  // With the headers in the same batch if they were not sent.
  bool SendHeaders(const MetadataPairs& headers);
  bool Send(const MetadataPairs& headers, const Step& step);
  bool Finish(const Plan& plan, const MetadataPairs& headers, const Step& step);
  void Drop() { Release(); }
  bool AwaitClosed() { return Await(Lane::kEnd); }
  bool cancelled() const { return cancelled_ != 0; }

 private:
  friend class CoreServer;
  ServerPeer() { grpc_call_details_init(&details_); }

  std::vector<grpc_op> HeadersIfUnsent(CoreMetadata& headers);

  grpc_call_details details_{};
  CoreMetadata metadata_;
  bool headers_sent_ = false;
  int cancelled_ = 0;
};

// A server of core's on a port of 127.0.0.1. One thread.
class CoreServer {
 public:
  CoreServer();
  CoreServer(const CoreServer&) = delete;
  CoreServer& operator=(const CoreServer&) = delete;
  ~CoreServer();

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // The call of this method, which is the next; null when it does not come in time. Late ones of
  // other methods, which their clients cancelled, are dropped.
  std::unique_ptr<ServerPeer> Accept(const std::string& method,
                                     std::chrono::milliseconds patience = kPatience);

 private:
  void Post();

  int port_ = 0;
  grpc_completion_queue* const arrivals_;
  grpc_server* server_;
  std::unique_ptr<ServerPeer> posted_;
};

}  // namespace lanekeeper::testing

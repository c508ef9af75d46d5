// One connection of an application: judges its requests, admits them, and makes RPCs of them. Owns
// the HTTP/2 connection. On the loop's thread; when the connection ends, the listener lets go of
// it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "proxy/downstream/request_head.h"
#include "proxy/rpc/rpc_registry.h"

namespace lanekeeper {

class DownstreamConnection;

// What the connections of a listener share. Outlives them.
struct DownstreamContext {
  RpcEnvironment& environment;
  RpcShard& rpcs;
  Admission& admission;
  RequestRules rules;
  size_t header_list_bytes_max = 0;
  http2::FrameCounts* counts = nullptr;
  size_t not_grpc_open = 0;  // requests that NotGrpc answers now
};

class DownstreamConnectionOwner {
 public:
  virtual void OnEnd(DownstreamConnection& connection, const http2::ConnectionEnd& end) = 0;

 protected:
  ~DownstreamConnectionOwner() = default;
};

class DownstreamConnection final : public Retired, public http2::ConnectionObserver {
 public:
  DownstreamConnection(DownstreamContext& context, Transport transport,
                       DownstreamConnectionOwner& owner);
  ~DownstreamConnection() override;

  const std::string& peer() const { return *peer_; }
  // Tells the application that no new RPC is welcome; those that are on their way are served.
  void ShutDown() { connection_.ShutDown(); }
  void Close() { connection_.Close(); }

 private:
  void OnRequest(int32_t id, const http2::FieldList& fields, bool too_large, bool end) override;
  void OnReady() override {}
  void OnRoom() override {}
  void OnGoaway(const http2::Goaway&) override {}
  void OnPong() override {}
  void OnEnd(const http2::ConnectionEnd& end) override { owner_.OnEnd(*this, end); }
  // Whether memory is too short for one more RPC.
  std::optional<Rejection> FindShortage() const;
  void Refuse(int32_t id, const Request& request, const Rejection& rejection);

  DownstreamContext& context_;
  DownstreamConnectionOwner& owner_;
  const std::shared_ptr<const std::string> peer_;
  const OpenCount open_rpcs_ = std::make_shared<int64_t>(0);
  http2::Connection connection_;
};

}  // namespace lanekeeper

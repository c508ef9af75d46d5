// The downstream side as a whole: listening sockets, the accept loop, and the gRPC server that
// speaks HTTP/2 on what it accepts. Owns all three. Made (which binds the sockets), started,
// drained and destroyed by the App on one thread; the RPC threads must still run while Shutdown
// waits.
#pragma once

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "proxy/downstream/accept_loop.h"
#include "proxy/threads/rpc_threads.h"

namespace lanekeeper {

class Listener {
 public:
  // Binds every address; throws std::runtime_error, with the reasons of all that fail, a line each.
  explicit Listener(const std::vector<ListenConfig>& listen);
  ~Listener();

  void Start(const LimitsConfig& limits, RpcThreads& threads);

  // What clients dial, ports filled in.
  std::vector<std::string> addresses() const { return addresses_; }
  std::vector<int> ports() const { return ports_; }
  int64_t connections() const { return accept_loop_->connections(); }
  int64_t accept_failures() const { return accept_loop_->accept_failures(); }

  // No new connections; the open ones are told that no new RPC is welcome (GOAWAY). RPCs that are
  // already on their way are still served.
  void StopAccepting();
  // Closes what connections are left; returns when the server has ended. No RPC may be open any
  // more.
  void Shutdown();

 private:
  std::vector<std::string> addresses_;
  std::vector<int> ports_;
  std::unique_ptr<AcceptLoop> accept_loop_;
  // Makes gRPC's builder ask for nothing of its own: calls are requested from core directly.
  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> connections_;
  std::unique_ptr<grpc::Server> server_;
  bool goaway_sent_ = false;
};

}  // namespace lanekeeper

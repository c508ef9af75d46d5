// The admin API over gRPC: a server in this process that is given its connections. Owns the server
// and its threads, none of which waits for events while it has nothing to do: core lets one thread
// of a process wait for the events of all, and hands them on from there; a waiting thread of ours
// would take those of RPCs from their worker. The workers find this server's events instead, so
// somebody has to poll another queue of the process. Any thread may hand connections over; ends
// when shut down.
#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <memory>

#include "proxy/admin/admin_calls.h"
#include "proxy/admin/connection.h"
#include "proxy/admin/watch.h"

namespace lanekeeper {

class AdminGrpcServer {
 public:
  // Throws std::runtime_error when gRPC cannot start.
  AdminGrpcServer(AdminCalls& calls, Watchers& watchers);
  ~AdminGrpcServer();

  // A connection whose first bytes are HTTP/2's.
  void Serve(Connection connection);
  // Returns when every call has ended; those that go on until then are cancelled.
  void Shutdown(std::chrono::system_clock::time_point cancel_at);

 private:
  class Service;

  std::unique_ptr<Service> service_;
  // Nobody waits on it. With it in the server, the queues that gRPC makes for itself do not poll
  // ("hybrid" in its server_builder.cc).
  std::unique_ptr<grpc::ServerCompletionQueue> unpolled_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> connections_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace lanekeeper

// The admin API over gRPC: a server in this process that is given its connections. Owns the server
// and its threads. Any thread may hand connections over; ends when shut down.
#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <memory>
#include <string>

#include "proxy/admin/admin_calls.h"
#include "proxy/admin/entrance.h"
#include "proxy/admin/watch.h"

namespace lanekeeper {

// Of the library that runs.
std::string GrpcVersion();

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
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> connections_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace lanekeeper

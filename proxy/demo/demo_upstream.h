// A gRPC server with the demo's two services: what an upstream looks like to lanekeeper.
// Owns its server and services. Any one thread; ends with Shutdown or destruction.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "proxy/demo/echo_service.h"
#include "proxy/demo/route_guide_service.h"

namespace lanekeeper {

class DemoUpstream {
 public:
  // Serves on "HOST:PORT" (port 0 picks one) or "unix:///path"; null when it cannot bind.
  static std::unique_ptr<DemoUpstream> Start(const std::string& listen);

  ~DemoUpstream();
  DemoUpstream(const DemoUpstream&) = delete;
  DemoUpstream& operator=(const DemoUpstream&) = delete;

  // Where it listens, with the port that was picked.
  const std::string& address() const { return address_; }

  // Lets open RPCs go on for a second, then cancels them; returns when all are gone.
  void Shutdown();

 private:
  DemoUpstream() = default;

  // Before server_: gRPC needs the services until the server is gone.
  EchoService echo_;
  RouteGuideService route_guide_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

// Prints "demo upstream listening on HOST:PORT" and serves until SIGTERM or SIGINT.
// Returns the process's exit code.
int RunDemoUpstream(const std::string& listen);

}  // namespace lanekeeper

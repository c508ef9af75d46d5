#include "proxy/demo/demo_upstream.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>

#include "proxy/base/signals.h"
#include "proxy/demo/services.h"

namespace lanekeeper {

int RunDemoUpstream(const std::string& listen) {
  // Before gRPC starts its threads, which must not take them.
  const Signals signals({SIGTERM, SIGINT});

  // Before the server: gRPC needs the services until it is gone.
  EchoService echo;
  RouteGuideService route_guide;
  int port = 0;
  grpc::ServerBuilder builder;
  // Otherwise a second demo on the same port would start and take half of the connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&echo);
  builder.RegisterService(&route_guide);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port <= 0) {
    std::cerr << "demo upstream: cannot listen on " << listen << "\n";
    return 1;
  }
  const bool is_unix = listen.starts_with("unix:");
  std::cout << "demo upstream listening on "
            << (is_unix ? listen : listen.substr(0, listen.rfind(':') + 1) + std::to_string(port))
            << std::endl;

  signals.Wait();
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  server->Wait();
  return 0;
}

}  // namespace lanekeeper

#include "proxy/demo/demo_upstream.h"

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <iostream>

namespace lanekeeper {

std::unique_ptr<DemoUpstream> DemoUpstream::Start(const std::string& listen) {
  std::unique_ptr<DemoUpstream> upstream(new DemoUpstream());
  int port = 0;
  grpc::ServerBuilder builder;
  // Otherwise a second demo on the same port would start and take half of the connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&upstream->echo_);
  builder.RegisterService(&upstream->route_guide_);
  upstream->server_ = builder.BuildAndStart();
  if (upstream->server_ == nullptr || port <= 0) return nullptr;

  const bool is_unix = listen.rfind("unix:", 0) == 0;
  upstream->address_ =
      is_unix ? listen : listen.substr(0, listen.rfind(':') + 1) + std::to_string(port);
  return upstream;
}

DemoUpstream::~DemoUpstream() { Shutdown(); }

void DemoUpstream::Shutdown() {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  server_->Wait();
  server_.reset();
}

int RunDemoUpstream(const std::string& listen) {
  // Blocked before gRPC starts its threads, which inherit it: sigwait below is the only taker.
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);

  const std::unique_ptr<DemoUpstream> upstream = DemoUpstream::Start(listen);
  if (upstream == nullptr) {
    std::cerr << "demo upstream: cannot listen on " << listen << "\n";
    return 1;
  }
  std::cout << "demo upstream listening on " << upstream->address() << std::endl;

  int received = 0;
  sigwait(&ending, &received);
  upstream->Shutdown();
  return 0;
}

}  // namespace lanekeeper

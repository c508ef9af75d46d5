// bench-upstream: the fastest gRPC server that a benchmark can have behind a proxy. One thread.
#include <sys/epoll.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/load/event_loop.h"
#include "tests/bench/load/http2_connection.h"
#include "tests/bench/load/program.h"
#include "tests/bench/load/sockets.h"
#include "tests/bench/load/transport.h"
#include "tests/bench/load/upstream_streams.h"

namespace bench {
namespace {

using Connections = std::list<Http2Connection>;

// One listening socket: owns it, adds what it accepts to the connections.
class Acceptor final : public EventHandler {
 public:
  Acceptor(EventLoop& loop, const std::string& address, SSL_CTX* tls, Connections& connections)
      : loop_(loop), listener_(Listen(address)), tls_(tls), connections_(connections) {
    loop_.Watch(listener_.get(), EPOLLIN, *this);
  }

  void OnEvents(uint32_t) override {
    for (;;) {
      UniqueFd accepted = Accept(listener_.get());
      if (accepted.get() < 0) return;
      connections_.emplace_back(loop_, ServerTransport(std::move(accepted), tls_),
                                Http2Connection::Role::kServer, NewUpstreamStream);
    }
  }

 private:
  EventLoop& loop_;
  UniqueFd listener_;
  SSL_CTX* tls_;
  Connections& connections_;
};

[[noreturn]] void Serve(const std::vector<std::string>& addresses, SSL_CTX* tls) {
  EventLoop loop;
  Connections connections;
  std::list<Acceptor> acceptors;
  for (const std::string& address : addresses) {
    acceptors.emplace_back(loop, address, tls, connections);
  }
  std::puts("listening");
  std::fflush(stdout);
  for (;;) {
    loop.RunRound(-1);
    connections.remove_if([](const Http2Connection& connection) { return connection.closed(); });
  }
}

int Main(int argc, char** argv) {
  CLI::App app("Echoes gRPC messages; see tests/bench/load/README.md");
  std::vector<std::string> addresses;
  std::string certificate, key;
  app.add_option("--listen", addresses, "HOST:PORT or unix:///path, any number of times")
      ->required();
  auto* with_certificate = app.add_option("--tls-certificate", certificate, "PEM file");
  app.add_option("--tls-key", key, "PEM file")->needs(with_certificate);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  RaiseDescriptorLimit();
  const SslContext tls = certificate.empty() ? SslContext() : ServerTls(certificate, key);
  Serve(addresses, tls.get());
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  return bench::RunProgram("bench-upstream", [&] { return bench::Main(argc, argv); });
}

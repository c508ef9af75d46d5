// The server or proxy under load.
#pragma once

#include <memory>
#include <string>

#include "tests/bench/load/event_loop.h"
#include "tests/bench/load/http2_connection.h"
#include "tests/bench/load/transport.h"

namespace bench {

// Where a load goes. Outlives its connections.
class Target {
 public:
  // TLS when there is an authority's certificate. Throws when it cannot be read.
  Target(std::string address, const std::string& tls_authority_file)
      : address_(std::move(address)),
        tls_(tls_authority_file.empty() ? SslContext() : ClientTls(tls_authority_file)) {}

  // Throws std::runtime_error.
  std::unique_ptr<Http2Connection> Connect(EventLoop& loop) const {
    return std::make_unique<Http2Connection>(loop,
                                             ClientTransport(bench::Connect(address_), tls_.get()),
                                             Http2Connection::Role::kClient);
  }

  const char* scheme() const { return tls_ ? "https" : "http"; }

 private:
  std::string address_;
  SslContext tls_;
};

}  // namespace bench

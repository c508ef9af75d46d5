// Bytes over a socket, plain or TLS (OpenSSL).
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>

#include "tests/bench/load/sockets.h"

namespace bench {

struct IoResult {
  enum class State { kOk, kWantRead, kWantWrite, kClosed };
  State state = State::kOk;
  size_t bytes = 0;  // with kOk: more than zero
};

// One connected socket, plain or TLS; owns it. One thread, never blocks. After kClosed, `error`
// says why (or that the peer closed) and only destruction is left.
class Transport {
 public:
  explicit Transport(UniqueFd fd) : fd_(std::move(fd)) {}
  virtual ~Transport() = default;

  int fd() const { return fd_.get(); }
  const std::string& error() const { return error_; }

  virtual IoResult Read(char* to, size_t size) = 0;
  virtual IoResult Write(const char* from, size_t size) = 0;
  // Bytes have been taken off the socket that Read has not handed out: epoll cannot know of them.
  virtual bool HasBufferedInput() const { return false; }

 protected:
  std::string error_;

 private:
  UniqueFd fd_;
};

struct SslContextDelete {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextDelete>;

// Both offer h2 alone in ALPN, and throw std::runtime_error when a file cannot be used.
SslContext ServerTls(const std::string& certificate_file, const std::string& key_file);
// Checks the chain up to this authority, not the name in the certificate: targets are numbers and
// socket files, and what signs a benchmark's certificate signs nothing else.
SslContext ClientTls(const std::string& authority_file);

// TLS when there is a context, which must outlive the transport.
std::unique_ptr<Transport> ClientTransport(UniqueFd fd, SSL_CTX* tls);
std::unique_ptr<Transport> ServerTransport(UniqueFd fd, SSL_CTX* tls);

}  // namespace bench

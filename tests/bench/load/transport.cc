#include "tests/bench/load/transport.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace bench {
namespace {

using State = IoResult::State;

constexpr std::array<unsigned char, 3> kAlpn = {2, 'h', '2'};

class PlainTransport final : public Transport {
 public:
  using Transport::Transport;

  IoResult Read(char* to, size_t size) override {
    return Outcome(recv(fd(), to, size, 0), State::kWantRead);
  }
  IoResult Write(const char* from, size_t size) override {
    return Outcome(send(fd(), from, size, MSG_NOSIGNAL), State::kWantWrite);
  }

 private:
  IoResult Outcome(ssize_t bytes, State blocked) {
    if (bytes > 0) return {State::kOk, static_cast<size_t>(bytes)};
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return {blocked};
    error_ = bytes == 0 ? "peer closed the connection" : std::strerror(errno);
    return {State::kClosed};
  }
};

std::string SslErrors() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    std::array<char, 256> line;
    ERR_error_string_n(code, line.data(), line.size());
    text += (text.empty() ? "" : "; ") + std::string(line.data());
  }
  return text.empty() ? "TLS failed" : text;
}

struct SslDelete {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class TlsTransport final : public Transport {
 public:
  TlsTransport(UniqueFd fd, SSL_CTX* context, bool server)
      : Transport(std::move(fd)), ssl_(SSL_new(context)) {
    if (!ssl_ || SSL_set_fd(ssl_.get(), this->fd()) != 1) throw std::runtime_error(SslErrors());
    server ? SSL_set_accept_state(ssl_.get()) : SSL_set_connect_state(ssl_.get());
  }

  // A record is 16 KiB at most; takes as many as there are, so that one round handles them all.
  IoResult Read(char* to, size_t size) override {
    size_t total = 0;
    while (total < size) {
      const IoResult one = Outcome(SSL_read(
          ssl_.get(), to + total, static_cast<int>(std::min<size_t>(size - total, INT_MAX))));
      if (one.state != State::kOk) {
        // An end after data is found again by the next Read.
        if (total == 0) return one;
        break;
      }
      total += one.bytes;
    }
    return {State::kOk, total};
  }

  IoResult Write(const char* from, size_t size) override {
    return Outcome(SSL_write(ssl_.get(), from, static_cast<int>(std::min<size_t>(size, INT_MAX))));
  }

  bool HasBufferedInput() const override { return SSL_pending(ssl_.get()) > 0; }

 private:
  IoResult Outcome(int result) {
    if (result > 0) return CheckAlpn(static_cast<size_t>(result));
    const int reason = SSL_get_error(ssl_.get(), result);
    if (reason == SSL_ERROR_WANT_READ) return {State::kWantRead};
    if (reason == SSL_ERROR_WANT_WRITE) return {State::kWantWrite};
    error_ = reason == SSL_ERROR_ZERO_RETURN ? "peer closed the connection" : SslErrors();
    ERR_clear_error();
    return {State::kClosed};
  }

  IoResult CheckAlpn(size_t bytes) {
    if (!alpn_checked_) {
      const unsigned char* chosen = nullptr;
      unsigned length = 0;
      SSL_get0_alpn_selected(ssl_.get(), &chosen, &length);
      if (std::string_view(reinterpret_cast<const char*>(chosen), length) != "h2") {
        error_ = "the peer did not choose h2 in ALPN";
        return {State::kClosed};
      }
      alpn_checked_ = true;
    }
    return {State::kOk, bytes};
  }

  std::unique_ptr<SSL, SslDelete> ssl_;
  bool alpn_checked_ = false;
};

int ChooseH2(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
             unsigned in_length, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_length, kAlpn.data(), kAlpn.size(), in, in_length) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

SslContext NewContext(const SSL_METHOD* method) {
  SslContext context(SSL_CTX_new(method));
  if (!context) throw std::runtime_error(SslErrors());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

}  // namespace

SslContext ServerTls(const std::string& certificate_file, const std::string& key_file) {
  SslContext context = NewContext(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    throw std::runtime_error(certificate_file + ", " + key_file + ": " + SslErrors());
  }
  SSL_CTX_set_alpn_select_cb(context.get(), ChooseH2, nullptr);
  return context;
}

SslContext ClientTls(const std::string& authority_file) {
  SslContext context = NewContext(TLS_client_method());
  if (SSL_CTX_load_verify_locations(context.get(), authority_file.c_str(), nullptr) != 1) {
    throw std::runtime_error(authority_file + ": " + SslErrors());
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context.get(), kAlpn.data(), kAlpn.size());
  return context;
}

std::unique_ptr<Transport> ClientTransport(UniqueFd fd, SSL_CTX* tls) {
  if (tls == nullptr) return std::make_unique<PlainTransport>(std::move(fd));
  return std::make_unique<TlsTransport>(std::move(fd), tls, false);
}

std::unique_ptr<Transport> ServerTransport(UniqueFd fd, SSL_CTX* tls) {
  if (tls == nullptr) return std::make_unique<PlainTransport>(std::move(fd));
  return std::make_unique<TlsTransport>(std::move(fd), tls, true);
}

}  // namespace bench

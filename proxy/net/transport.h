// A connected socket, plain or under TLS whose handshake is done. Owns both. On the loop's thread.
// Plain costs a branch a call.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <utility>

#include "proxy/base/fd.h"
#include "proxy/net/tls_session.h"

namespace lanekeeper {

class Transport {
 public:
  Transport() = default;
  // Plain, unless there is a session.
  Transport(Fd socket, std::unique_ptr<TlsSession> tls = nullptr)  // NOLINT: any socket is one
      : socket_(std::move(socket)), tls_(std::move(tls)) {}

  int fd() const { return socket_.get(); }
  explicit operator bool() const { return static_cast<bool>(socket_); }
  // Null: plain.
  TlsSession* tls() { return tls_.get(); }

  // As recv(2), see TlsSession::Receive.
  ssize_t Receive(uint8_t* into, size_t room) {
    if (tls_ == nullptr) return recv(socket_.get(), into, room, 0);
    return tls_->Receive(socket_.get(), into, room);
  }
  // Whether Receive has something to say though the socket may have nothing.
  bool pending() const { return tls_ != nullptr && tls_->pending(); }
  // Whether bytes that were taken off the output have not left yet.
  bool unsent() const { return tls_ != nullptr && tls_->unsent(); }

  // Nothing more will be sent: tells the peer, as far as the socket takes that now.
  void EndSending() {
    SayClosed();
    shutdown(socket_.get(), SHUT_WR);
  }
  // The same, and closes.
  void Close() {
    SayClosed();
    socket_.Close();
  }

 private:
  void SayClosed() {
    if (tls_ == nullptr) return;
    tls_->SayClosed();
    tls_->Send(socket_.get());
  }

  Fd socket_;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace lanekeeper

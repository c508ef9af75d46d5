// A connected socket with one owner. When the owner lets go, it is shut both ways before it is
// closed, because the entrance has a duplicate which would keep it open. Any thread.
#pragma once

#include <sys/socket.h>

#include <utility>

#include "proxy/base/fd.h"

namespace lanekeeper {

class Connection {
 public:
  explicit Connection(Fd socket) : socket_(std::move(socket)) {}
  Connection(Connection&& other) noexcept = default;
  Connection& operator=(Connection&&) = delete;
  ~Connection() {
    if (socket_) shutdown(socket_.get(), SHUT_RDWR);
  }

  int fd() const { return socket_.get(); }
  int Release() { return socket_.Release(); }

 private:
  Fd socket_;
};

}  // namespace lanekeeper

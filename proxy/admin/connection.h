// A connected socket with one owner. When the owner lets go, it is shut both ways before it is
// closed, because the accept loop has a duplicate which would keep it open. Any thread.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace lanekeeper {

class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}
  Connection(Connection&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Connection& operator=(Connection&&) = delete;
  ~Connection() {
    if (fd_ < 0) return;
    shutdown(fd_, SHUT_RDWR);
    close(fd_);
  }

  int fd() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace lanekeeper

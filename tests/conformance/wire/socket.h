// Owners of a socket's descriptor, and the few ways to get one.
#pragma once

#include <string>
#include <utility>

namespace lanekeeper::testing::wire {

class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Socket();

  // To "HOST:PORT" or "unix:PATH"; throws.
  static Socket Dial(const std::string& target);
  // On a free port of 127.0.0.1; throws.
  static Socket Listen();

  int fd() const { return fd_; }
  int port() const;
  // The next connection; none once the socket was shut down.
  Socket Accept() const;
  bool valid() const { return fd_ >= 0; }
  // Makes whoever reads, accepts or polls see the end.
  void ShutDown() const;

 private:
  int fd_;
};

}  // namespace lanekeeper::testing::wire

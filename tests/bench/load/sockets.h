// Listening, connecting and accepting, with the options every socket of a benchmark has.
#pragma once

#include <string>

namespace bench {

// Owns one file descriptor and closes it.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept;
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd();

  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

// An address is HOST:PORT, with an IPv4 number for the host, or unix:///path. All of these throw
// std::runtime_error with the address and the reason. Sockets come back without blocking, TCP ones
// with TCP_NODELAY.
UniqueFd Listen(const std::string& address);
// Waits for the kernel to connect, which on one machine needs nothing of the peer but its backlog;
// 10 s at most.
UniqueFd Connect(const std::string& address);
// No descriptor (get() < 0) when no connection waits. `listener` came from Listen.
UniqueFd Accept(int listener);

// So that thousands of connections need no `ulimit`.
void RaiseDescriptorLimit();

}  // namespace bench

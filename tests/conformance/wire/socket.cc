#include "tests/conformance/wire/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

namespace lanekeeper::testing::wire {
namespace {

void Require(bool ok, const std::string& what) {
  if (!ok) throw std::runtime_error(what + ": " + std::strerror(errno));
}

// Small frames must not wait for each other's acknowledgement.
void SendAtOnce(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Socket DialUnix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Require(connect(socket.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, path);
  return socket;
}

}  // namespace

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

Socket Socket::Dial(const std::string& target) {
  constexpr char kUnix[] = "unix:";
  if (target.starts_with(kUnix)) return DialUnix(target.substr(sizeof kUnix - 1));
  const sockaddr_in address = Loopback(std::stoi(target.substr(target.rfind(':') + 1)));
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Require(connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
          target);
  SendAtOnce(socket.fd());
  return socket;
}

Socket Socket::Listen() {
  const sockaddr_in address = Loopback(0);
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Require(bind(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
              listen(socket.fd(), 64) == 0,
          "cannot listen");
  return socket;
}

int Socket::port() const {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

Socket Socket::Accept() const {
  Socket accepted(accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
  if (accepted.valid()) SendAtOnce(accepted.fd());
  return accepted;
}

void Socket::ShutDown() const { shutdown(fd_, SHUT_RDWR); }

}  // namespace lanekeeper::testing::wire

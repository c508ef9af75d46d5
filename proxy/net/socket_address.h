// A socket's address as a value, its name as gRPC writes it, and what sockets within the machine
// need not: pacing. Any thread.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lanekeeper {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  static SocketAddress Of(const sockaddr& address, socklen_t size);
  // `abstract`: a name in the kernel's table instead of a path. Empty if it is too long.
  static std::optional<SocketAddress> Unix(std::string_view path, bool abstract);
  // Of an IPv4 or IPv6 literal; empty for a name.
  static std::optional<SocketAddress> FromIp(const std::string& literal, uint16_t port);

  const sockaddr& get() const { return reinterpret_cast<const sockaddr&>(storage); }
  int family() const { return storage.ss_family; }
  // "ipv4:1.2.3.4:50", "ipv6:[::1]:50", "unix:/path", "unix-abstract:name"; "unix:" without a path.
  std::string Name() const;
  // "1.2.3.4" or "::1"; empty for a unix socket.
  std::string Ip() const;
  bool operator==(const SocketAddress& other) const;
};

// Of the other end of a connected socket.
std::string PeerName(int fd);

// Gives a TCP socket of ours reno where it would get bbr and leads to or listens on a loopback
// address: bbr's pacing timers were a quarter of the CPU of 1 MB messages over loopback. Any other
// algorithm that the operator has chosen stays.
void StopPacingFor(int fd, const SocketAddress& address);

}  // namespace lanekeeper

#include "proxy/threads/local_pacing.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "config/ip.h"

namespace lanekeeper {
namespace {

constexpr std::string_view kPaced = "bbr";  // and its versions, "bbr2"
// Every Linux has it, and any user may choose it (tcp(7), tcp_allowed_congestion_control).
constexpr std::string_view kUnpaced = "reno";

std::optional<Ip> IpOf(const sockaddr_storage& address) {
  Ip ip = kAnyV4;
  if (address.ss_family == AF_INET6) {
    std::memcpy(ip.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, ip.size());
  } else if (address.ss_family == AF_INET) {
    std::memcpy(ip.data() + 12, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
  } else {
    return {};
  }
  return ip;
}

bool IsPaced(int fd) {
  char name[16] = {};  // as long as the kernel has them
  socklen_t size = sizeof name;
  return getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) == 0 &&
         std::string_view(name, size).starts_with(kPaced);
}

void StopPacing(int fd) {
  setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, kUnpaced.data(), kUnpaced.size());
}

}  // namespace

bool IsWithinMachine(const sockaddr_storage& self, const sockaddr_storage& peer) {
  const std::optional<Ip> at = IpOf(self);
  const std::optional<Ip> to = IpOf(peer);
  return at && to && (IsLoopback(*to) || at == to);
}

void StopPacingFor(int fd, const sockaddr& address, socklen_t length) {
  sockaddr_storage storage{};
  std::memcpy(&storage, &address, std::min<size_t>(length, sizeof storage));
  const std::optional<Ip> ip = IpOf(storage);
  if (ip && IsLoopback(*ip) && IsPaced(fd)) StopPacing(fd);
}

void StopLocalPacing(int fd) {
  if (!IsPaced(fd)) return;  // as most are by now
  sockaddr_storage self{};
  sockaddr_storage peer{};
  socklen_t size = sizeof self;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&self), &size) != 0) return;
  size = sizeof peer;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return;
  if (IsWithinMachine(self, peer)) StopPacing(fd);
}

}  // namespace lanekeeper

// Found before libc's by every library of the process.
extern "C" int connect(int fd, const sockaddr* address, socklen_t length) {
  const int before = errno;
  if (address != nullptr) lanekeeper::StopPacingFor(fd, *address, length);
  errno = before;
  return static_cast<int>(syscall(SYS_connect, fd, address, length));
}

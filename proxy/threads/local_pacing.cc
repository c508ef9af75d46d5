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

namespace lanekeeper {
namespace {

constexpr std::string_view kPaced = "bbr";  // and its versions, "bbr2"
// Every Linux has it, and any user may choose it (tcp(7), tcp_allowed_congestion_control).
constexpr std::string_view kUnpaced = "reno";

// An IPv4 address as IPv6 writes it.
std::optional<in6_addr> AddressOf(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET6)
    return reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (address.ss_family != AF_INET) return {};
  in6_addr mapped{};
  mapped.s6_addr[10] = mapped.s6_addr[11] = 0xff;
  std::memcpy(&mapped.s6_addr[12], &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
  return mapped;
}

bool IsLoopback(const in6_addr& address) {
  return IN6_IS_ADDR_LOOPBACK(&address) ||
         (IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[12] == IN_LOOPBACKNET);
}

void StopPacing(int fd) {
  char name[16] = {};  // as long as the kernel has them
  socklen_t size = sizeof name;
  if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) != 0) return;
  if (!std::string_view(name, size).starts_with(kPaced)) return;
  setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, kUnpaced.data(), kUnpaced.size());
}

}  // namespace

bool IsWithinMachine(const sockaddr_storage& self, const sockaddr_storage& peer) {
  const std::optional<in6_addr> at = AddressOf(self);
  const std::optional<in6_addr> to = AddressOf(peer);
  return at && to && (IsLoopback(*to) || std::memcmp(&*at, &*to, sizeof *to) == 0);
}

void StopPacingFor(int fd, const sockaddr& address, socklen_t length) {
  sockaddr_storage storage{};
  std::memcpy(&storage, &address, std::min<size_t>(length, sizeof storage));
  const std::optional<in6_addr> of = AddressOf(storage);
  if (of && IsLoopback(*of)) StopPacing(fd);
}

void StopLocalPacing(int fd) {
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

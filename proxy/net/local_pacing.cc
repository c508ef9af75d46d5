#include "proxy/net/local_pacing.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
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

void StopPacingFor(int fd, const sockaddr& address, socklen_t length) {
  sockaddr_storage storage{};
  std::memcpy(&storage, &address, std::min<size_t>(length, sizeof storage));
  const std::optional<Ip> ip = IpOf(storage);
  if (ip && IsLoopback(*ip) && IsPaced(fd)) StopPacing(fd);
}

}  // namespace lanekeeper

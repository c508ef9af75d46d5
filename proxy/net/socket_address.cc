#include "proxy/net/socket_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "config/ip.h"

namespace lanekeeper {
namespace {

constexpr std::string_view kPaced = "bbr";  // and its versions, "bbr2"
// Every Linux has it, and any user may choose it (tcp(7), tcp_allowed_congestion_control).
constexpr std::string_view kUnpaced = "reno";

std::optional<Ip> IpOf(const SocketAddress& address) {
  Ip ip = kAnyV4;
  if (address.family() == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
    std::memcpy(ip.data(), &v6.sin6_addr, ip.size());
  } else if (address.family() == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address.storage);
    std::memcpy(ip.data() + 12, &v4.sin_addr, 4);
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

}  // namespace

SocketAddress SocketAddress::Of(const sockaddr& address, socklen_t size) {
  SocketAddress result;
  result.size = std::min<socklen_t>(size, sizeof result.storage);
  std::memcpy(&result.storage, &address, result.size);
  return result;
}

std::optional<SocketAddress> SocketAddress::Unix(std::string_view path, bool abstract) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const size_t begin = abstract ? 1 : 0;
  if (path.empty() || path.size() >= sizeof address.sun_path) return std::nullopt;
  std::memcpy(address.sun_path + begin, path.data(), path.size());
  SocketAddress result;
  std::memcpy(&result.storage, &address, sizeof address);
  result.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + begin + path.size() +
                                       (abstract ? 0 : 1));
  return result;
}

std::optional<SocketAddress> SocketAddress::FromIp(const std::string& literal, uint16_t port) {
  SocketAddress result;
  auto& v4 = reinterpret_cast<sockaddr_in&>(result.storage);
  if (inet_pton(AF_INET, literal.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    result.size = sizeof v4;
    return result;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(result.storage);
  if (inet_pton(AF_INET6, literal.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    result.size = sizeof v6;
    return result;
  }
  return std::nullopt;
}

std::string SocketAddress::Name() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  switch (family()) {
    case AF_INET: {
      const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
      inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
      return fmt::format("ipv4:{}:{}", text.data(), ntohs(v4.sin_port));
    }
    case AF_INET6: {
      const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
      // An IPv4 peer of a socket that listens on "[::]".
      if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
        inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text.data(), text.size());
        return fmt::format("ipv4:{}:{}", text.data(), ntohs(v6.sin6_port));
      }
      inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
      return fmt::format("ipv6:[{}]:{}", text.data(), ntohs(v6.sin6_port));
    }
    case AF_UNIX: {
      const auto& unix_address = reinterpret_cast<const sockaddr_un&>(storage);
      if (size <= offsetof(sockaddr_un, sun_path)) return "unix:";
      const size_t length = size - offsetof(sockaddr_un, sun_path);
      if (unix_address.sun_path[0] == '\0') {
        return fmt::format("unix-abstract:{}",
                           std::string_view(unix_address.sun_path + 1, length - 1));
      }
      return fmt::format("unix:{}", unix_address.sun_path);
    }
    default:
      return "unknown";
  }
}

std::string SocketAddress::Ip() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family() == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  } else if (family() == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

bool SocketAddress::operator==(const SocketAddress& other) const {
  return size == other.size && std::memcmp(&storage, &other.storage, size) == 0;
}

std::string PeerName(int fd) {
  SocketAddress peer;
  peer.size = sizeof peer.storage;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer.storage), &peer.size) != 0)
    return "unknown";
  return peer.Name();
}

void StopPacingFor(int fd, const SocketAddress& address) {
  const std::optional<Ip> ip = IpOf(address);
  if (!ip || !IsLoopback(*ip) || !IsPaced(fd)) return;
  setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, kUnpaced.data(), kUnpaced.size());
}

}  // namespace lanekeeper

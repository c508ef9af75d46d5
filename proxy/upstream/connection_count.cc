#include "proxy/upstream/connection_count.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <filesystem>
#include <sstream>

namespace lanekeeper {
namespace {

bool IsConnectedTo(int fd, const UpstreamPeers& peers) {
  sockaddr_storage peer{};
  socklen_t length = sizeof peer;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0) return false;
  int type = 0;
  socklen_t type_length = sizeof type;
  getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length);
  if (type != SOCK_STREAM) return false;
  switch (peer.ss_family) {
    case AF_INET:
      return peers.ports.contains(ntohs(reinterpret_cast<const sockaddr_in&>(peer).sin_port));
    case AF_INET6:
      return peers.ports.contains(ntohs(reinterpret_cast<const sockaddr_in6&>(peer).sin6_port));
    case AF_UNIX: {
      const auto& address = reinterpret_cast<const sockaddr_un&>(peer);
      if (length <= offsetof(sockaddr_un, sun_path)) return false;  // the accepted side of one
      return peers.unix_paths.contains(address.sun_path);
    }
    default:
      return false;
  }
}

}  // namespace

UpstreamPeers PeersOf(const std::string& upstream_address) {
  UpstreamPeers peers;
  if (upstream_address.starts_with("unix:")) {
    std::string path = upstream_address.substr(5);
    if (path.starts_with("//")) path.erase(0, 2);
    peers.unix_paths.insert(path);
    return peers;
  }
  // "dns:///host:port", "ipv4:1.2.3.4:50,1.2.3.5:51", "[::1]:50051": each part ends in its port.
  std::istringstream parts(upstream_address);
  for (std::string part; std::getline(parts, part, ',');) {
    const size_t colon = part.rfind(':');
    if (colon == std::string::npos) continue;
    uint16_t port = 0;
    const char* end = part.data() + part.size();
    if (std::from_chars(part.data() + colon + 1, end, port).ec == std::errc())
      peers.ports.insert(port);
  }
  return peers;
}

int64_t CountConnectionsTo(const UpstreamPeers& peers) {
  int64_t count = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const std::string name = entry.path().filename().string();
    int fd = -1;
    std::from_chars(name.data(), name.data() + name.size(), fd);
    if (IsConnectedTo(fd, peers)) ++count;
  }
  return count;
}

}  // namespace lanekeeper

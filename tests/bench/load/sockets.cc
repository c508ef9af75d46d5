#include "tests/bench/load/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace bench {
namespace {

constexpr int kBacklog = 4096;
constexpr int kConnectSeconds = 10;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

[[noreturn]] void Fail(const std::string& address, const char* what) {
  throw std::runtime_error(address + ": " + what);
}

SocketAddress ParseUnix(const std::string& address, std::string_view path) {
  SocketAddress parsed;
  auto* to = reinterpret_cast<sockaddr_un*>(&parsed.storage);
  if (path.empty() || path.size() >= sizeof(to->sun_path)) Fail(address, "path empty or too long");
  to->sun_family = AF_UNIX;
  std::memcpy(to->sun_path, path.data(), path.size());
  parsed.length = sizeof(sockaddr_un);
  return parsed;
}

SocketAddress Parse(const std::string& address) {
  constexpr std::string_view kUnix = "unix://";
  if (address.starts_with(kUnix)) {
    return ParseUnix(address, std::string_view(address).substr(kUnix.size()));
  }
  SocketAddress parsed;
  auto* to = reinterpret_cast<sockaddr_in*>(&parsed.storage);
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) Fail(address, "neither HOST:PORT nor unix:///path");
  uint16_t port = 0;
  const char* end = address.data() + address.size();
  const auto [stop, error] = std::from_chars(address.data() + colon + 1, end, port);
  if (error != std::errc() || stop != end) Fail(address, "not a port");
  if (inet_pton(AF_INET, address.substr(0, colon).c_str(), &to->sin_addr) != 1) {
    Fail(address, "not an IPv4 address");
  }
  to->sin_family = AF_INET;
  to->sin_port = htons(port);
  parsed.length = sizeof(sockaddr_in);
  return parsed;
}

void SetOption(int fd, int level, int name) {
  const int on = 1;
  setsockopt(fd, level, name, &on, sizeof(on));
}

}  // namespace

UniqueFd::UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) close(fd_);
}

UniqueFd Listen(const std::string& address) {
  const SocketAddress parsed = Parse(address);
  UniqueFd fd(socket(parsed.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) Fail(address, std::strerror(errno));
  if (parsed.family() == AF_UNIX) {
    unlink(reinterpret_cast<const sockaddr_un*>(&parsed.storage)->sun_path);
  } else {
    SetOption(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  }
  if (bind(fd.get(), parsed.get(), parsed.length) != 0 || listen(fd.get(), kBacklog) != 0) {
    Fail(address, std::strerror(errno));
  }
  return fd;
}

UniqueFd Connect(const std::string& address) {
  const SocketAddress parsed = Parse(address);
  UniqueFd fd(socket(parsed.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) Fail(address, std::strerror(errno));
  const timeval patience{kConnectSeconds, 0};  // Linux applies it to connect, too
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (connect(fd.get(), parsed.get(), parsed.length) != 0) Fail(address, std::strerror(errno));
  if (parsed.family() == AF_INET) SetOption(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  if (fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) Fail(address, std::strerror(errno));
  return fd;
}

UniqueFd Accept(int listener) {
  sockaddr_storage peer{};
  socklen_t length = sizeof(peer);
  UniqueFd fd(
      accept4(listener, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd.get() >= 0 && peer.ss_family == AF_INET) SetOption(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  return fd;
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace bench

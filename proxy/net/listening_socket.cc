#include "proxy/net/listening_socket.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>

#include "proxy/net/socket_address.h"

namespace lanekeeper {
namespace {

constexpr int kBacklog = 1024;

[[noreturn]] void Fail(const std::string& name, const std::string& why) {
  throw std::runtime_error(fmt::format("cannot listen on {}: {}", name, why));
}

in_port_t& PortOf(SocketAddress& address) {
  if (address.family() == AF_INET6)
    return reinterpret_cast<sockaddr_in6&>(address.storage).sin6_port;
  return reinterpret_cast<sockaddr_in&>(address.storage).sin_port;
}

std::string NumericName(SocketAddress address) {
  char host[NI_MAXHOST] = "?";
  getnameinfo(&address.get(), address.size, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
  const int port = ntohs(PortOf(address));
  return address.family() == AF_INET6 ? fmt::format("[{}]:{}", host, port)
                                      : fmt::format("{}:{}", host, port);
}

Fd NewSocket(int family) {
  return Fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

void BindAndListen(const Fd& fd, const SocketAddress& address, const std::string& name) {
  if (bind(fd.get(), &address.get(), address.size) == 0 && listen(fd.get(), kBacklog) == 0) return;
  Fail(name, std::strerror(errno));
}

// Whether a server answers on the path; a file that nobody answers on was left behind by a crash.
bool IsLive(const SocketAddress& address) {
  const Fd probe = NewSocket(AF_UNIX);
  return connect(probe.get(), &address.get(), address.size) == 0 || errno != ECONNREFUSED;
}

void RemoveStaleSocket(const SocketAddress& address, const char* path, const std::string& name) {
  struct stat info {};
  if (lstat(path, &info) != 0) return;
  if (!S_ISSOCK(info.st_mode)) Fail(name, "the path exists and is not a socket");
  if (IsLive(address)) Fail(name, std::strerror(EADDRINUSE));
  unlink(path);
}

}  // namespace

ListeningSocket::ListeningSocket(Fd fd, std::string name, int port, std::string unix_path)
    : fd_(std::move(fd)), name_(std::move(name)), port_(port), unix_path_(std::move(unix_path)) {}

ListeningSocket::~ListeningSocket() {
  // Before it is closed: then another process may take the path over.
  if (fd_ && is_unix()) unlink(unix_path_.c_str());
}

std::vector<ListeningSocket> ListeningSocket::Open(const ListenAddress& address, mode_t unix_mode) {
  std::vector<ListeningSocket> sockets;
  if (address.is_unix()) {
    const std::string name = "unix://" + address.unix_path;
    const char* const path = address.unix_path.c_str();
    const auto local = SocketAddress::Unix(address.unix_path, /*abstract=*/false);
    if (!local) Fail(name, "the path is too long");
    RemoveStaleSocket(*local, path, name);
    Fd fd = NewSocket(AF_UNIX);
    if (!fd) Fail(name, std::strerror(errno));
    fchmod(fd.get(), unix_mode);  // the file never has more
    BindAndListen(fd, *local, name);
    chmod(path, unix_mode);  // nor less, whatever the umask
    sockets.push_back(ListeningSocket(std::move(fd), name, 0, address.unix_path));
    return sockets;
  }

  const std::string wanted = fmt::format("{}:{}", address.host, address.port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (error != 0) Fail(wanted, gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> guard(found, &freeaddrinfo);
  in_port_t port = htons(static_cast<uint16_t>(address.port));
  for (addrinfo* one = found; one != nullptr; one = one->ai_next) {
    SocketAddress local = SocketAddress::Of(*one->ai_addr, one->ai_addrlen);
    PortOf(local) = port;
    Fd fd = NewSocket(one->ai_family);
    if (!fd) continue;  // a name may have an IPv6 address where the kernel has no IPv6
    const int on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // "[::]" takes IPv4 too, as in other proxies; a name with addresses of both families needs one
    // socket each.
    const int v6_only = found->ai_next != nullptr ? 1 : 0;
    if (one->ai_family == AF_INET6)
      setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
    StopPacingFor(fd.get(), local);  // nor those that it accepts
    BindAndListen(fd, local, NumericName(local));
    getsockname(fd.get(), reinterpret_cast<sockaddr*>(&local.storage), &local.size);
    port = PortOf(local);
    sockets.push_back(ListeningSocket(std::move(fd), NumericName(local), ntohs(port), ""));
  }
  if (sockets.empty()) Fail(wanted, "no usable address");
  return sockets;
}

}  // namespace lanekeeper

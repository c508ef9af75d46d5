#include "tests/conformance/interop/wire_tap.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace lanekeeper::testing {
namespace {

int Dial(const std::string& target) {
  constexpr std::string_view kUnix = "unix:";
  int result = -1;
  int fd = -1;
  if (target.starts_with(kUnix)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, target.c_str() + kUnix.size(), sizeof address.sun_path - 1);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    result = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(std::stoi(target.substr(target.find(':') + 1))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    result = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  if (result != 0) throw std::runtime_error("the tap cannot dial " + target);
  return fd;
}

// What is there; empty when the sender is gone.
std::string Receive(int from) {
  std::array<char, 65536> bytes;
  const ssize_t count = recv(from, bytes.data(), bytes.size(), 0);
  return count <= 0 ? "" : std::string(bytes.data(), static_cast<size_t>(count));
}

bool SendAll(int to, const std::string& bytes) {
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t n = send(to, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<size_t>(n);
  }
  return !bytes.empty();
}

}  // namespace

WireTap::WireTap(const std::string& target) : target_(target), relaying_([this] { Relay(); }) {}

WireTap::~WireTap() {
  listener_.Close();
  relaying_.join();
}

std::string WireTap::to_downstream() const {
  std::lock_guard lock(mutex_);
  return to_downstream_;
}

// Until either side closes.
void WireTap::Relay() {
  const int client = listener_.Accept();
  if (client < 0) return;
  const int server = Dial(target_);
  for (;;) {
    std::array<pollfd, 2> ready = {{{client, POLLIN, 0}, {server, POLLIN, 0}}};
    if (poll(ready.data(), ready.size(), -1) < 0) break;
    if (ready[0].revents != 0 && !SendAll(server, Receive(client))) break;
    if (ready[1].revents == 0) continue;
    const std::string bytes = Receive(server);
    {
      // Before the client can have it, and with it the end of its RPC.
      std::lock_guard lock(mutex_);
      to_downstream_ += bytes;
    }
    if (!SendAll(client, bytes)) break;
  }
  close(client);
  close(server);
}

}  // namespace lanekeeper::testing

#include "tests/unit/admin/raw_connection.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <utility>

namespace lanekeeper::testing {
namespace {

constexpr int kPatienceMs = 20000;
const std::string kUnix = "unix://";

int DialUnix(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return fd;
}

int DialTcp(const std::string& name) {
  const size_t colon = name.rfind(':');
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::stoi(name.substr(colon + 1))));
  EXPECT_EQ(inet_pton(AF_INET, name.substr(0, colon).c_str(), &address.sin_addr), 1);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return fd;
}

}  // namespace

RawConnection::RawConnection(const std::string& name)
    : fd_(name.rfind(kUnix, 0) == 0 ? DialUnix(name.substr(kUnix.size())) : DialTcp(name)) {}

RawConnection::RawConnection(RawConnection&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

RawConnection::~RawConnection() {
  if (fd_ >= 0) close(fd_);
}

bool RawConnection::Send(const std::string& bytes) const {
  return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

std::string RawConnection::ReadUntil(const std::string& text) {
  std::string all;
  char buffer[65536];
  while (text.empty() || all.find(text) == std::string::npos) {
    pollfd waiting{fd_, POLLIN, 0};
    if (poll(&waiting, 1, kPatienceMs) != 1) break;
    const ssize_t count = recv(fd_, buffer, sizeof buffer, 0);
    if (count <= 0) break;
    all.append(buffer, static_cast<size_t>(count));
  }
  return all;
}

std::string RawConnection::ReadAll() { return ReadUntil(""); }

bool RawConnection::IsClosed() {
  pollfd waiting{fd_, POLLIN, 0};
  char byte = 0;
  return poll(&waiting, 1, kPatienceMs) == 1 && recv(fd_, &byte, 1, 0) <= 0;
}

std::string Exchange(const std::string& name, const std::string& request) {
  RawConnection connection(name);
  EXPECT_TRUE(connection.Send(request));
  return connection.ReadAll();
}

}  // namespace lanekeeper::testing

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <string>

#include "proxy/base/fd.h"
#include "proxy/net/listening_socket.h"
#include "proxy/net/socket_address.h"

namespace lanekeeper {
namespace {

std::string Congestion(int fd) {
  char name[16] = {};
  socklen_t size = sizeof name;
  EXPECT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size), 0);
  return name;
}

bool Choose(const Fd& fd, const std::string& name) {
  return setsockopt(fd.get(), IPPROTO_TCP, TCP_CONGESTION, name.data(),
                    static_cast<socklen_t>(name.size())) == 0;
}

// What it has once StopPacingFor has been told that it leads there.
std::string CongestionTo(const std::string& ip, const Fd& fd) {
  StopPacingFor(fd.get(), *SocketAddress::FromIp(ip, 1));
  return Congestion(fd.get());
}

class PacedSocketTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Choose(fd_, "bbr")) GTEST_SKIP() << "this system has no bbr, or does not let us choose it";
  }

  const Fd fd_{socket(AF_INET, SOCK_STREAM, 0)};
};

TEST_F(PacedSocketTest, IsNotPacedToLoopback) { EXPECT_EQ(CongestionTo("127.0.0.2", fd_), "reno"); }

TEST_F(PacedSocketTest, IsNotPacedToLoopbackByIpv6) { EXPECT_EQ(CongestionTo("::1", fd_), "reno"); }

TEST_F(PacedSocketTest, IsLeftAloneIfItLeadsElsewhere) {
  EXPECT_EQ(CongestionTo("192.0.2.1", fd_), "bbr");
}

TEST(LocalPacing, AnotherAlgorithmIsTheOperatorsChoice) {
  const Fd fd(socket(AF_INET, SOCK_STREAM, 0));
  if (!Choose(fd, "cubic")) GTEST_SKIP() << "this system has no cubic";
  EXPECT_EQ(CongestionTo("127.0.0.1", fd), "cubic");
}

TEST(LocalPacing, NoListeningSocketOnLoopbackIsPaced) {
  const auto sockets = ListeningSocket::Open({"127.0.0.1", 0, ""});
  EXPECT_NE(Congestion(sockets.at(0).fd()), "bbr");
}

}  // namespace
}  // namespace lanekeeper

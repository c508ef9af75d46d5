#include "proxy/threads/local_pacing.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "proxy/downstream/listening_socket.h"
#include "proxy/threads/send_coalescer.h"

namespace lanekeeper {
namespace {

std::string Congestion(int fd) {
  char name[16] = {};
  socklen_t size = sizeof name;
  EXPECT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size), 0);
  return name;
}

bool Choose(int fd, const std::string& name) {
  return setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name.data(),
                    static_cast<socklen_t>(name.size())) == 0;
}

sockaddr_storage Address(const std::string& text) {
  sockaddr_storage storage{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) storage.ss_family = AF_INET;
  if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) storage.ss_family = AF_INET6;
  return storage;
}

TEST(LocalPacing, OnlyAddressesOfOneMachineAreWithinIt) {
  const auto within = [](const char* self, const char* peer) {
    return IsWithinMachine(Address(self), Address(peer));
  };
  EXPECT_TRUE(within("127.0.0.1", "127.0.0.1"));
  EXPECT_TRUE(within("127.0.0.1", "127.0.0.2"));
  EXPECT_TRUE(within("::1", "::1"));
  EXPECT_TRUE(within("::ffff:127.0.0.1", "::ffff:127.0.0.1"));
  EXPECT_TRUE(within("10.1.2.3", "10.1.2.3"));
  EXPECT_TRUE(within("10.1.2.3", "::ffff:10.1.2.3"));
  EXPECT_FALSE(within("10.1.2.3", "10.1.2.4"));
  EXPECT_FALSE(within("fd00::1", "fd00::2"));
  EXPECT_FALSE(IsWithinMachine({}, {}));
}

// A socket that is paced, to be connected over loopback.
class PacedSocketTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Choose(fd_, "bbr")) GTEST_SKIP() << "this system has no bbr, or does not let us choose it";
  }
  ~PacedSocketTest() override { close(fd_); }

  sockaddr_storage Server() const {
    sockaddr_storage address = Address("127.0.0.1");
    reinterpret_cast<sockaddr_in&>(address).sin_port =
        htons(static_cast<uint16_t>(listening_[0].port()));
    return address;
  }
  void Connect() {
    const sockaddr_storage server = Server();
    ASSERT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&server), sizeof(sockaddr_in)), 0);
  }
  // As a socket that was accepted: connect is not ours.
  void ConnectBehindOurBack() {
    const sockaddr_storage server = Server();
    ASSERT_EQ(syscall(SYS_connect, fd_, &server, sizeof(sockaddr_in)), 0);
  }
  ssize_t Send() const {
    iovec part{const_cast<char*>("x"), 1};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    return sendmsg(fd_, &message, 0);
  }

  const std::vector<ListeningSocket> listening_ = ListeningSocket::Open({"127.0.0.1", 0, ""});
  const int fd_ = socket(AF_INET, SOCK_STREAM, 0);
};

TEST_F(PacedSocketTest, IsNotPacedOnceItConnectsWithinTheMachine) {
  Connect();
  EXPECT_EQ(Congestion(fd_), "reno");
}

TEST_F(PacedSocketTest, IsNotPacedFromTheFirstWriteOfALoopOn) {
  ConnectBehindOurBack();
  ASSERT_EQ(Send(), 1);
  EXPECT_EQ(Congestion(fd_), "bbr") << "no loop has written";
  SendCoalescer coalescer;
  coalescer.Hold();
  ASSERT_EQ(Send(), 1);
  EXPECT_EQ(Congestion(fd_), "reno");
}

TEST_F(PacedSocketTest, IsLeftAloneWithoutAPeer) {
  StopLocalPacing(fd_);
  EXPECT_EQ(Congestion(fd_), "bbr");
}

TEST_F(PacedSocketTest, IsLeftAloneIfItsAddressIsElsewhere) {
  const sockaddr_storage elsewhere = Address("192.0.2.1");
  StopPacingFor(fd_, reinterpret_cast<const sockaddr&>(elsewhere), sizeof elsewhere);
  EXPECT_EQ(Congestion(fd_), "bbr");
}

TEST(LocalPacing, AnotherAlgorithmIsTheOperatorsChoice) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (!Choose(fd, "cubic")) GTEST_SKIP() << "this system has no cubic";
  const sockaddr_storage here = Address("127.0.0.1");
  StopPacingFor(fd, reinterpret_cast<const sockaddr&>(here), sizeof here);
  EXPECT_EQ(Congestion(fd), "cubic");
  close(fd);
}

TEST(LocalPacing, NoListeningSocketOnLoopbackIsPaced) {
  const auto sockets = ListeningSocket::Open({"127.0.0.1", 0, ""});
  EXPECT_NE(Congestion(sockets.at(0).fd()), "bbr");
}

}  // namespace
}  // namespace lanekeeper

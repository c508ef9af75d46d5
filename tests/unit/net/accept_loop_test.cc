#include "proxy/net/accept_loop.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>

#include "tests/support/eventually.h"

namespace lanekeeper {
namespace {

using lanekeeper::testing::Eventually;

int Dial(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return fd;
}

// Keeps what it is given until told to close it: shut, then closed.
class AcceptLoopTest : public ::testing::Test {
 protected:
  AcceptLoopTest() : AcceptLoopTest(ListeningSocket::Open({"127.0.0.1", 0, ""})) {}
  ~AcceptLoopTest() override { CloseAccepted(); }

  void CloseAccepted() {
    std::lock_guard lock(mutex_);
    for (int fd : accepted_) {
      shutdown(fd, SHUT_RDWR);
      close(fd);
    }
    accepted_.clear();
  }

  // A connection counts a moment before it is handed over.
  size_t accepted() {
    std::lock_guard lock(mutex_);
    return accepted_.size();
  }

  int port_;
  std::mutex mutex_;
  std::vector<int> accepted_;
  AcceptLoop loop_;

 private:
  explicit AcceptLoopTest(std::vector<ListeningSocket> sockets)
      : port_(sockets[0].port()), loop_(std::move(sockets)) {
    loop_.Start([this](int, int fd) {
      std::lock_guard lock(mutex_);
      accepted_.push_back(fd);
    });
  }
};

TEST_F(AcceptLoopTest, AConnectionCountsFromAcceptToClose) {
  const int first = Dial(port_);
  const int second = Dial(port_);
  EXPECT_TRUE(Eventually([&] { return loop_.connections() == 2 && accepted() == 2; }));
  CloseAccepted();
  EXPECT_TRUE(Eventually([&] { return loop_.connections() == 0; }));
  close(first);
  close(second);
}

TEST_F(AcceptLoopTest, ManyComingAndGoingEndAtZero) {
  for (int round = 0; round < 50; ++round) {
    std::vector<int> clients;
    for (int i = 0; i < 10; ++i) clients.push_back(Dial(port_));
    for (int fd : clients) close(fd);
    ASSERT_TRUE(Eventually([&] {
      std::lock_guard lock(mutex_);
      return accepted_.size() == 10;
    }));
    CloseAccepted();
    ASSERT_GE(loop_.connections(), 0);
  }
  EXPECT_TRUE(Eventually([&] { return loop_.connections() == 0; }));
}

TEST_F(AcceptLoopTest, AfterStopAcceptingNobodyGetsIn) {
  const int client = Dial(port_);
  EXPECT_TRUE(Eventually([&] { return loop_.connections() == 1; }));
  loop_.StopAccepting();
  EXPECT_TRUE(Eventually([&] {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool refused =
        connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0;
    close(fd);
    return refused;
  }));
  close(client);
}

}  // namespace
}  // namespace lanekeeper

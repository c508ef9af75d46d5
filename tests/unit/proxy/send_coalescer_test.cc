#include "proxy/threads/send_coalescer.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <string>

#include "proxy/downstream/listening_socket.h"

namespace lanekeeper {
namespace {

// Two ends of a TCP connection over loopback.
class SendCoalescerTest : public ::testing::Test {
 protected:
  SendCoalescerTest() {
    const auto sockets = ListeningSocket::Open({"127.0.0.1", 0, ""});
    sender_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(sockets[0].port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(sender_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    pollfd ready{sockets[0].fd(), POLLIN, 0};
    poll(&ready, 1, 20000);
    receiver_ = accept(sockets[0].fd(), nullptr, nullptr);
  }
  ~SendCoalescerTest() override {
    close(sender_);
    close(receiver_);
  }

  void Send(std::string text) const {
    iovec part{text.data(), text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    ASSERT_EQ(sendmsg(sender_, &message, 0), static_cast<ssize_t>(text.size()));
  }

  // What is there without waiting; loopback delivers within the sender's own system call.
  std::string Arrived() const {
    std::string text(100, '\0');
    const ssize_t n = recv(receiver_, text.data(), text.size(), MSG_DONTWAIT);
    text.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return text;
  }

  int sender_ = -1;
  int receiver_ = -1;
};

TEST_F(SendCoalescerTest, WritesGoOutAtOnceWhileNobodyHolds) {
  Send("a");
  EXPECT_EQ(Arrived(), "a");
}

TEST_F(SendCoalescerTest, HeldWritesGoOutTogetherWhenPushed) {
  SendCoalescer coalescer;
  coalescer.Hold();
  Send("a");
  Send("b");
  EXPECT_TRUE(coalescer.holds_anything());
  EXPECT_EQ(Arrived(), "");
  coalescer.Push();
  EXPECT_FALSE(coalescer.holds_anything());
  EXPECT_EQ(Arrived(), "ab");
}

TEST_F(SendCoalescerTest, ReleaseSendsWhatIsHeldAndHoldsNoMore) {
  SendCoalescer coalescer;
  coalescer.Hold();
  Send("a");
  coalescer.Release();
  EXPECT_EQ(Arrived(), "a");
  Send("b");
  EXPECT_EQ(Arrived(), "b");
}

}  // namespace
}  // namespace lanekeeper

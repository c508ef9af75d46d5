#include "proxy/threads/send_coalescer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "proxy/downstream/listening_socket.h"
#include "proxy/threads/held_sockets.h"

namespace lanekeeper {
namespace {

// Bytes that tell where they belong.
std::string Pattern(size_t from, size_t count) {
  std::string text(count, '\0');
  for (size_t i = 0; i < count; ++i) text[i] = static_cast<char>((from + i) * 31 % 251);
  return text;
}

ssize_t SendOn(int fd, std::string text) {
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  return sendmsg(fd, &message, MSG_NOSIGNAL);
}

// Two ends of a TCP connection over loopback.
class SendCoalescerTest : public ::testing::Test {
 protected:
  SendCoalescerTest() { Connect(); }
  ~SendCoalescerTest() override {
    if (sender_ >= 0) close(sender_);
    close(receiver_);
  }

  void Connect() {
    const auto sockets = ListeningSocket::Open({"127.0.0.1", 0, ""});
    sender_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(sockets[0].port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(sender_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    fcntl(sender_, F_SETFL, O_NONBLOCK);
    pollfd ready{sockets[0].fd(), POLLIN, 0};
    poll(&ready, 1, 20000);
    receiver_ = accept(sockets[0].fd(), nullptr, nullptr);
  }

  void Send(const std::string& text) const {
    ASSERT_EQ(SendOn(sender_, text), static_cast<ssize_t>(text.size()));
  }
  void Close() { close(std::exchange(sender_, -1)); }

  // What is there without waiting; loopback delivers within the sender's own system call.
  std::string Arrived(size_t at_most = 100'000) const {
    std::string text(at_most, '\0');
    const ssize_t n = recv(receiver_, text.data(), text.size(), MSG_DONTWAIT);
    text.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return text;
  }

  // Writes until the socket takes no more and some of it is kept; how much was taken for sent.
  size_t Fill(SendCoalescer& coalescer) const {
    size_t sent = 0;
    while (coalescer.retry_at() == 0) {
      const ssize_t n = SendOn(sender_, Pattern(sent, SendCoalescer::kHeldWriteMax));
      if (n > 0) sent += static_cast<size_t>(n);
      if (n < 0 || sent % SendCoalescer::kHeldBytesMax == 0) coalescer.Push();
    }
    return sent;
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

// So that a connection can be cut by another descriptor than the one that holds, as a drain does.
TEST_F(SendCoalescerTest, AnotherThreadSendsWhatIsHeldBeforeItCutsTheConnection) {
  SendCoalescer coalescer;
  coalescer.Hold();
  Send("a");
  std::thread([&] {
    EXPECT_TRUE(SendAllHeld());
    const int duplicate = dup(sender_);
    shutdown(duplicate, SHUT_RDWR);
    close(duplicate);
  }).join();
  EXPECT_EQ(Arrived(), "a");
  coalescer.Push();
}

TEST_F(SendCoalescerTest, SendAllHeldTellsThatAPeerDoesNotRead) {
  SendCoalescer coalescer;
  coalescer.Hold();
  const size_t sent = Fill(coalescer);
  EXPECT_FALSE(SendAllHeld());
  std::string arrived;
  while (arrived.size() < sent) {
    const std::string more = Arrived();
    arrived += more;
    if (more.empty()) SendAllHeld();
  }
  EXPECT_TRUE(SendAllHeld());
  EXPECT_EQ(arrived, Pattern(0, sent));
}

TEST_F(SendCoalescerTest, WhatOneThreadLetsGoTheNextSends) {
  SendCoalescer coalescer;
  coalescer.Hold();
  Send("a");
  coalescer.LetGo();
  EXPECT_EQ(Arrived(), "");
  std::thread([&] {
    coalescer.Hold();
    Send("b");
    coalescer.Release();
  }).join();
  EXPECT_EQ(Arrived(), "ab");
}

TEST_F(SendCoalescerTest, ALargeWriteLeavesAtOnceBehindWhatIsHeld) {
  SendCoalescer coalescer;
  coalescer.Hold();
  Send("a");
  const std::string large(SendCoalescer::kHeldWriteMax + 1, 'b');
  Send(large);
  EXPECT_EQ(Arrived(), "a" + large);
}

TEST_F(SendCoalescerTest, NoMoreIsHeldThanTheBound) {
  SendCoalescer coalescer;
  coalescer.Hold();
  size_t sent = 0;
  std::string arrived;
  while (sent <= SendCoalescer::kHeldBytesMax) {
    Send(Pattern(sent, 10'000));
    sent += 10'000;
  }
  for (std::string some = Arrived(); !some.empty(); some = Arrived()) arrived += some;
  EXPECT_EQ(arrived, Pattern(0, sent));
}

TEST_F(SendCoalescerTest, OtherThreadsWriteBehindWhatIsHeld) {
  SendCoalescer coalescer;
  coalescer.Hold();
  Send("a");
  std::thread([&] { Send("b"); }).join();
  EXPECT_EQ(Arrived(), "ab");
  Send("c");
  std::thread([&] {
    SendCoalescer other;
    other.Hold();
    Send("d");
    EXPECT_EQ(Arrived(), "cd") << "not held by two at once";
  }).join();
}

TEST_F(SendCoalescerTest, AFullSocketKeepsTheRestUntilItsPeerReads) {
  SendCoalescer coalescer;
  coalescer.Hold();
  const size_t sent = Fill(coalescer);
  EXPECT_EQ(SendOn(sender_, "more"), -1);
  EXPECT_EQ(errno, EAGAIN) << "whoever writes more is told to wait for room";

  std::string arrived;
  while (arrived.size() < sent) {
    arrived += Arrived();
    if (coalescer.retry_at() != 0 && InstantNow() >= coalescer.retry_at()) coalescer.Push();
  }
  EXPECT_EQ(arrived, Pattern(0, sent));
  while (coalescer.retry_at() != 0) coalescer.Push();
  Send("more");
  coalescer.Push();
  EXPECT_EQ(Arrived(), "more");
}

TEST_F(SendCoalescerTest, ADescriptorThatIsUsedAgainStartsEmpty) {
  SendCoalescer coalescer;
  coalescer.Hold();
  Fill(coalescer);
  const int was = sender_;
  Close();
  close(receiver_);
  Connect();
  ASSERT_EQ(dup2(sender_, was), was);
  ASSERT_EQ(SendOn(was, "new"), 3);
  while (coalescer.retry_at() != 0 || coalescer.holds_anything()) coalescer.Push();
  EXPECT_EQ(Arrived(), "new");
  if (was != sender_) close(was);
}

TEST_F(SendCoalescerTest, WhatIsHeldLeavesBeforeTheSocketIsClosed) {
  SendCoalescer coalescer;
  coalescer.Hold();
  Send("a");
  shutdown(sender_, SHUT_WR);
  EXPECT_EQ(Arrived(), "a");
  close(receiver_);
  Close();
  Connect();
  Send("b");
  Close();
  EXPECT_EQ(Arrived(), "b");
}

// Core closes a connection at once when a write fails, with what the peer sent last unread.
TEST_F(SendCoalescerTest, ALostConnectionIsLeftToTheReadSideToTell) {
  SendCoalescer coalescer;
  coalescer.Hold();
  Send("a");
  coalescer.Push();
  ASSERT_EQ(send(receiver_, "goaway", 6, MSG_NOSIGNAL), 6);
  close(receiver_);  // with "a" unread: a reset
  for (int i = 0; i < 3; ++i) {
    Send("b");
    coalescer.Push();
    Send(std::string(SendCoalescer::kHeldWriteMax + 1, 'c'));
  }
  EXPECT_EQ(coalescer.retry_at(), 0);
  receiver_ = socket(AF_INET, SOCK_STREAM, 0);  // for the destructor to close
}

TEST_F(SendCoalescerTest, DatagramsAreNotJoined) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
  SendCoalescer coalescer;
  coalescer.Hold();
  ASSERT_EQ(SendOn(ends[0], "a"), 1);
  ASSERT_EQ(SendOn(ends[0], "b"), 1);
  char text[10];
  EXPECT_EQ(recv(ends[1], text, sizeof text, MSG_DONTWAIT), 1);
  EXPECT_EQ(recv(ends[1], text, sizeof text, MSG_DONTWAIT), 1);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace lanekeeper

#include "proxy/net/connector.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <filesystem>

#include "proxy/net/listening_socket.h"
#include "tests/unit/net/loop_testing.h"

namespace lanekeeper {
namespace {

using lanekeeper::testing::TestLoop;
using ::testing::HasSubstr;

using namespace std::chrono_literals;

SocketAddress BoundTo(int fd) {
  SocketAddress address;
  address.size = sizeof address.storage;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size);
  return address;
}

// Nobody listens there, and nobody can meanwhile.
class Refusing {
 public:
  Refusing() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    const auto any = *SocketAddress::FromIp("127.0.0.1", 0);
    EXPECT_EQ(bind(fd_.get(), &any.get(), any.size), 0);
  }
  SocketAddress address() const { return BoundTo(fd_.get()); }

 protected:
  const Fd fd_;
};

// The kernel drops what would connect, because the backlog is full.
class Silent : public Refusing {
 public:
  Silent() {
    EXPECT_EQ(listen(fd_.get(), 0), 0);
    const SocketAddress to = address();
    for (int i = 0; i < 8; ++i) {
      clients_.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      connect(clients_.back().get(), &to.get(), to.size);
    }
  }

 private:
  std::vector<Fd> clients_;
};

class Listening {
 public:
  SocketAddress address() const { return BoundTo(sockets_[0].fd()); }

 private:
  const std::vector<ListeningSocket> sockets_ = ListeningSocket::Open({"127.0.0.1", 0, ""});
};

ptrdiff_t OpenDescriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                       std::filesystem::directory_iterator());
}

class ConnectorTest : public ::testing::Test {
 protected:
  void Connect(std::vector<SocketAddress> addresses, std::chrono::nanoseconds timeout = 20s) {
    began_ = InstantNow();
    connector_ = std::make_unique<Connector>(
        loop_, std::move(addresses), timeout,
        [this](Fd socket, const SocketAddress& address, const std::string& error) {
          ++count_;
          took_ = std::chrono::nanoseconds(InstantNow() - began_);
          socket_ = std::move(socket);
          address_ = address;
          error_ = error;
          if (then_) then_();
        });
    EXPECT_EQ(count_, 0) << "not from the constructor";
  }
  bool RunToTheEnd() {
    return loop_.RunUntil([this] { return count_ > 0; });
  }

  TestLoop loop_;
  std::unique_ptr<Connector> connector_;
  Instant began_ = 0;
  std::function<void()> then_;
  int count_ = 0;
  std::chrono::nanoseconds took_{0};
  Fd socket_;
  SocketAddress address_;
  std::string error_;
};

TEST_F(ConnectorTest, HandsOverASocketThatIsReadyForUse) {
  const Listening server;
  Connect({server.address()});
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_EQ(error_, "");
  EXPECT_EQ(address_, server.address());
  EXPECT_EQ(PeerName(socket_.get()), server.address().Name());
  EXPECT_NE(fcntl(socket_.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(socket_.get(), F_GETFD) & FD_CLOEXEC, 0);
  int no_delay = 0;
  socklen_t size = sizeof no_delay;
  getsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
  EXPECT_NE(no_delay, 0);
}

TEST_F(ConnectorTest, TheLoopHasForgottenTheSocket) {
  struct Handler final : EventHandler {
    void OnEvents(uint32_t) override { ++count; }
    int count = 0;
  } handler;
  const Listening server;
  Connect({server.address()});
  ASSERT_TRUE(RunToTheEnd());
  loop_.Watch(socket_.get(), handler, EPOLLOUT);
  EXPECT_TRUE(loop_.RunUntil([&] { return handler.count == 1; }));
  loop_.Forget(socket_.get());
}

TEST_F(ConnectorTest, ARefusalSaysWhoAndWhy) {
  const Refusing server;
  Connect({server.address()});
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_FALSE(socket_);
  EXPECT_EQ(error_, "connect to " + server.address().Name() + ": Connection refused");
}

TEST_F(ConnectorTest, WhatFailsAtOnceIsToldLater) {
  Connect({*SocketAddress::Unix("/nowhere/absent.sock", false)});
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_EQ(error_, "connect to unix:/nowhere/absent.sock: No such file or directory");
}

TEST_F(ConnectorTest, WithoutAnAddressThereIsAnErrorToo) {
  Connect({});
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_NE(error_, "");
}

TEST_F(ConnectorTest, TheLastOfSeveralFailuresIsTold) {
  const Refusing first;
  const Refusing second;
  Connect({first.address(), second.address()});
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_THAT(error_, HasSubstr(second.address().Name()));
}

TEST_F(ConnectorTest, AfterAFailureTheNextIsTriedAtOnce) {
  const Refusing refusing;
  const Listening server;
  std::vector<SocketAddress> addresses(40, refusing.address());
  addresses.push_back(*SocketAddress::Unix("/nowhere/absent.sock", false));
  addresses.push_back(server.address());
  Connect(std::move(addresses));
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_EQ(address_, server.address());
  EXPECT_LT(took_, 5s) << "40 waits would take 10 s";
}

TEST_F(ConnectorTest, OneThatIsSilentGetsAHeadStart) {
  const Silent silent;
  const Listening server;
  Connect({silent.address(), server.address()});
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_EQ(address_, server.address());
  EXPECT_GE(took_, 250ms);
}

TEST_F(ConnectorTest, TheFirstThatConnectsWinsThoughItWasNotTheFirstTried) {
  const Listening first;
  const Listening second;
  Connect({first.address(), second.address()});
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_EQ(address_, first.address());
}

TEST_F(ConnectorTest, WhoLosesIsClosedThoughTheConnectorStays) {
  const Silent silent;
  const Listening server;
  const ptrdiff_t before = OpenDescriptors();
  Connect({silent.address(), server.address(), server.address()});
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_EQ(OpenDescriptors(), before + 1);
  EXPECT_EQ(loop_.timers().size(), 0u) << "and nobody else is tried";
}

TEST_F(ConnectorTest, ItsTimeoutSaysForWhomItWaited) {
  const Silent silent;
  const ptrdiff_t before = OpenDescriptors();
  Connect({silent.address()}, 50ms);
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_FALSE(socket_);
  EXPECT_GE(took_, 50ms);
  EXPECT_EQ(error_, "connect to " + silent.address().Name() + ": no answer within 50 ms");
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_F(ConnectorTest, ATimeoutOfSecondsIsToldInSeconds) {
  const Silent silent;
  Connect({silent.address()}, 1s);
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_THAT(error_, HasSubstr("no answer within 1 s"));
}

TEST_F(ConnectorTest, DestroyedItSaysNothingAndLeavesNothing) {
  const Listening server;
  const Silent silent;
  for (const auto& address : {server.address(), silent.address()}) {
    const ptrdiff_t before = OpenDescriptors();
    Connect({address});
    loop_.Step();  // the attempt begins
    connector_.reset();
    EXPECT_TRUE(loop_.RunWhatIsThere());
    EXPECT_EQ(count_, 0);
    EXPECT_EQ(OpenDescriptors(), before);
    EXPECT_EQ(loop_.timers().size(), 0u);
  }
}

TEST_F(ConnectorTest, MayBeDestroyedWhenItHasConnected) {
  const Silent silent;
  const Listening server;
  then_ = [this] { connector_.reset(); };
  Connect({silent.address(), server.address()});
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_TRUE(socket_);
  EXPECT_TRUE(loop_.RunWhatIsThere());
  EXPECT_EQ(count_, 1);
}

TEST_F(ConnectorTest, MayBeDestroyedWhenItHasFailed) {
  const Refusing refusing;
  const Silent silent;
  then_ = [this] { connector_.reset(); };
  for (const auto& address : {refusing.address(), silent.address(),
                              *SocketAddress::Unix("/nowhere/absent.sock", false)}) {
    count_ = 0;
    Connect({address}, 50ms);
    ASSERT_TRUE(RunToTheEnd());
    EXPECT_TRUE(loop_.RunWhatIsThere());
    EXPECT_EQ(count_, 1);
  }
}

TEST_F(ConnectorTest, ConnectsToAnAbstractUnixSocket) {
  const auto address =
      *SocketAddress::Unix("lanekeeper-connector-test-" + std::to_string(getpid()), true);
  const Fd listening(socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(bind(listening.get(), &address.get(), address.size), 0);
  ASSERT_EQ(listen(listening.get(), 1), 0);
  Connect({address});
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_EQ(error_, "");
  EXPECT_EQ(PeerName(socket_.get()), address.Name());
}

}  // namespace
}  // namespace lanekeeper

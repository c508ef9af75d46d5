#include "proxy/net/acceptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "proxy/net/socket_address.h"
#include "tests/unit/net/loop_testing.h"

namespace lanekeeper {
namespace {

using lanekeeper::testing::TestLoop;

// What accept fails with; 0: it works.
std::atomic<int> exhausted{0};

// No descriptor is left, as far as accept is concerned, while this is there. Without any the
// sanitizers could not look at memory.
class Exhaustion {
 public:
  explicit Exhaustion(int error) { exhausted = error; }
  Exhaustion(const Exhaustion&) = delete;
  ~Exhaustion() { exhausted = 0; }
};

int OptionOf(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  getsockopt(fd, level, name, &value, &size);
  return value;
}

class AcceptorTest : public ::testing::Test {
 protected:
  AcceptorTest() { MakeWith({}); }

  void MakeWith(std::function<void()> then,
                Acceptor::Descriptors descriptors = Acceptor::Descriptors::kAll) {
    auto sockets = ListeningSocket::Open({"127.0.0.1", 0, ""});
    for (ListeningSocket& more : ListeningSocket::Open({"127.0.0.1", 0, ""})) {
      sockets.push_back(std::move(more));
    }
    ports_ = {sockets[0].port(), sockets[1].port()};
    acceptor_ = std::make_unique<Acceptor>(
        loop_, std::move(sockets),
        [this, then = std::move(then)](Fd fd, const ListeningSocket& socket) {
          accepted_.push_back(std::move(fd));
          accepted_at_.push_back(socket.port());
          if (then) then();
        },
        descriptors);
  }
  // Connected, as far as the kernel is concerned; not when nobody listens.
  Fd Dial(int port) const {
    const auto to = *SocketAddress::FromIp("127.0.0.1", static_cast<uint16_t>(port));
    Fd fd(socket(AF_INET, SOCK_STREAM, 0));
    if (connect(fd.get(), &to.get(), to.size) != 0) fd.Close();
    return fd;
  }
  std::vector<Fd> DialMany(size_t count, int port) const {
    std::vector<Fd> clients;
    for (size_t i = 0; i < count; ++i) clients.push_back(Dial(port));
    return clients;
  }
  bool RunTo(size_t count) {
    return loop_.RunUntil([&] { return accepted_.size() == count; });
  }

  TestLoop loop_;
  std::vector<int> ports_;
  std::vector<Fd> accepted_;
  std::vector<int> accepted_at_;
  std::unique_ptr<Acceptor> acceptor_;
};

TEST_F(AcceptorTest, HandsOverSocketsThatAreReadyForUse) {
  acceptor_->Start();
  const Fd client = Dial(ports_[0]);
  ASSERT_TRUE(RunTo(1));
  const int fd = accepted_[0].get();
  EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(OptionOf(fd, IPPROTO_TCP, TCP_NODELAY), 0);
}

TEST_F(AcceptorTest, AsksPeersThatSayNothingAfterTwoHoursWhetherTheyAreThere) {
  acceptor_->Start();
  const Fd client = Dial(ports_[0]);
  ASSERT_TRUE(RunTo(1));
  const int fd = accepted_[0].get();
  EXPECT_NE(OptionOf(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(OptionOf(fd, IPPROTO_TCP, TCP_KEEPIDLE), 7200);
  EXPECT_EQ(OptionOf(fd, IPPROTO_TCP, TCP_KEEPINTVL) * OptionOf(fd, IPPROTO_TCP, TCP_KEEPCNT), 20);
}

TEST_F(AcceptorTest, AcceptsOnAllSocketsAndTellsWhich) {
  acceptor_->Start();
  const Fd first = Dial(ports_[0]);
  ASSERT_TRUE(RunTo(1));
  const Fd second = Dial(ports_[1]);
  ASSERT_TRUE(RunTo(2));
  EXPECT_EQ(accepted_at_, ports_);
}

TEST_F(AcceptorTest, WhoDialledBeforeTheStartIsAccepted) {
  const Fd client = Dial(ports_[0]);
  acceptor_->Start();
  EXPECT_TRUE(RunTo(1));
}

TEST_F(AcceptorTest, SocketsComeAndGoWhileTheOthersGoOn) {
  acceptor_->Start();
  auto more = ListeningSocket::Open({"127.0.0.1", 0, ""});
  const int added = more.front().port();
  const Fd early = Dial(added);
  acceptor_->Add(std::move(more));
  ASSERT_TRUE(RunTo(1));
  acceptor_->Remove({"127.0.0.1:" + std::to_string(ports_[0])});
  loop_.Step();
  EXPECT_FALSE(Dial(ports_[0]));
  const Fd client = Dial(ports_[1]);
  const Fd late = Dial(added);
  ASSERT_TRUE(RunTo(3));
  EXPECT_EQ(accepted_at_[0], added);
}

TEST_F(AcceptorTest, ManyAtOnceAreAcceptedBitByBit) {
  const std::vector<Fd> clients = DialMany(100, ports_[0]);
  acceptor_->Start();
  loop_.Step();
  EXPECT_LE(accepted_.size(), 64u) << "others have their turn in between";
  EXPECT_TRUE(RunTo(100));
}

TEST_F(AcceptorTest, WhoHasGoneAgainStopsNobodyElse) {
  for (Fd& client : DialMany(10, ports_[0])) {
    const linger reset{1, 0};
    setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    client.Close();
  }
  const Fd client = Dial(ports_[0]);
  const SocketAddress own = [&] {
    SocketAddress address;
    address.size = sizeof address.storage;
    getsockname(client.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.size);
    return address;
  }();
  acceptor_->Start();
  EXPECT_TRUE(loop_.RunUntil(
      [&] { return !accepted_.empty() && PeerName(accepted_.back().get()) == own.Name(); }));
}

class AcceptorExhaustionTest : public AcceptorTest, public ::testing::WithParamInterface<int> {};

TEST_P(AcceptorExhaustionTest, ItWaitsCountsAndGoesOn) {
  acceptor_->Start();
  const Fd client = Dial(ports_[0]);
  const Fd other = Dial(ports_[1]);
  {
    const Exhaustion exhaustion(GetParam());
    EXPECT_TRUE(loop_.RunUntil([&] { return acceptor_->accept_failures() >= 2; }));
    EXPECT_TRUE(accepted_.empty());
  }
  EXPECT_TRUE(RunTo(2));
}

INSTANTIATE_TEST_SUITE_P(Each, AcceptorExhaustionTest,
                         ::testing::Values(EMFILE, ENFILE, ENOBUFS, ENOMEM));

// Those of the peer, of which there may be several kinds (accept(2)).
TEST_F(AcceptorTest, AnyOtherErrorIsTriedAgainAndDoesNotCount) {
  acceptor_->Start();
  const Fd client = Dial(ports_[0]);
  {
    const Exhaustion exhaustion(ECONNABORTED);
    EXPECT_TRUE(loop_.RunWhatIsThere());
  }
  EXPECT_TRUE(RunTo(1));
  EXPECT_EQ(acceptor_->accept_failures(), 0);
}

TEST_F(AcceptorTest, WithoutDescriptorsNewcomersCauseNoAttempts) {
  acceptor_->Start();
  std::vector<Fd> clients = DialMany(1, ports_[0]);
  {
    const Exhaustion exhaustion(EMFILE);
    EXPECT_TRUE(loop_.RunUntil([&] { return acceptor_->accept_failures() == 1; }));
    const Instant since = loop_.now();
    for (int i = 0; i < 20; ++i) {
      clients.push_back(Dial(ports_[1]));
      EXPECT_TRUE(loop_.RunWhatIsThere());
    }
    // One for each 100 ms, however long this took.
    EXPECT_LE(acceptor_->accept_failures(), 1 + (loop_.now() - since) / 100'000'000);
  }
  EXPECT_TRUE(RunTo(21));
}

TEST_F(AcceptorTest, TheLastDescriptorsAreLeftToOthers) {
  constexpr int kLeft = 8;  // an eighth
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{kLeft * kLeft, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto restored = std::unique_ptr<rlimit, void (*)(rlimit*)>(
      &before, [](rlimit* limit) { setrlimit(RLIMIT_NOFILE, limit); });
  MakeWith({}, Acceptor::Descriptors::kLeaveSome);
  acceptor_->Start();
  std::vector<Fd> clients;
  while (acceptor_->accept_failures() == 0) {
    clients.push_back(Dial(ports_[0]));
    ASSERT_TRUE(clients.back());
    EXPECT_TRUE(loop_.RunWhatIsThere());
  }
  std::vector<Fd> others;
  while (Fd other{dup(clients.front().get())}) others.push_back(std::move(other));
  EXPECT_GE(others.size(), kLeft - 3u) << "a client of this test may have two of them, a peer one";
  others.clear();
  accepted_.erase(accepted_.begin(), accepted_.begin() + 4);
  EXPECT_TRUE(RunTo(clients.size() - 4)) << "they go on where some have left";
}

TEST_F(AcceptorTest, AfterStopAcceptingNobodyGetsInAndWhoIsInStays) {
  acceptor_->Start();
  const Fd client = Dial(ports_[0]);
  ASSERT_TRUE(RunTo(1));
  acceptor_->StopAccepting();
  EXPECT_FALSE(Dial(ports_[0]));
  EXPECT_FALSE(Dial(ports_[1]));
  EXPECT_TRUE(loop_.RunWhatIsThere());
  EXPECT_EQ(write(client.get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(accepted_[0].get(), &byte, 1), 1);
}

TEST_F(AcceptorTest, AConnectionMayStopIt) {
  for (size_t waiting : {1, 100}) {  // in the event, and in the turn after 64
    accepted_.clear();
    MakeWith([&] {
      if (accepted_.size() == waiting) acceptor_->StopAccepting();
    });
    const std::vector<Fd> clients = DialMany(waiting + 1, ports_[0]);
    acceptor_->Start();
    EXPECT_TRUE(RunTo(waiting));
    EXPECT_TRUE(loop_.RunWhatIsThere());
    EXPECT_EQ(accepted_.size(), waiting);
    EXPECT_FALSE(Dial(ports_[0]));
  }
}

TEST_F(AcceptorTest, DestroyedItAcceptsNobody) {
  const Fd client = Dial(ports_[0]);
  acceptor_->Start();
  acceptor_.reset();
  EXPECT_TRUE(loop_.RunWhatIsThere());
  EXPECT_TRUE(accepted_.empty());
  EXPECT_EQ(loop_.timers().size(), 0u);
}

}  // namespace
}  // namespace lanekeeper

// In place of the C library's.
extern "C" int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  if (const int error = lanekeeper::exhausted; error != 0) {
    errno = error;
    return -1;
  }
  return static_cast<int>(syscall(SYS_accept4, fd, address, size, flags));
}

#include "proxy/net/tls_handshake.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "tests/support/tls_files.h"
#include "tests/unit/net/loop_testing.h"

namespace lanekeeper {
namespace {

using lanekeeper::testing::TestLoop;
using lanekeeper::testing::TlsFixture;
using namespace std::chrono_literals;

class TlsHandshakeTest : public ::testing::Test {
 protected:
  struct One {
    std::unique_ptr<TlsHandshake> handshake;
    std::optional<TlsResult> result;
  };

  TlsHandshakeTest()
      : server_(TlsFixture::Server(tls_.ServerFiles())),
        client_(TlsFixture::Client(tls_.ClientFiles())) {}
  ~TlsHandshakeTest() override {
    for (One* one : {&near_, &far_}) {
      if (one->handshake != nullptr) loop_.Retire(std::move(one->handshake));
    }
    loop_.RunWhatIsThere();
  }

  void Begin(One& one, Fd socket, bool server, std::chrono::nanoseconds timeout = 20s,
             TlsPace* pace = nullptr) {
    auto session = server ? std::make_unique<TlsSession>(loop_.buffers(), server_)
                          : std::make_unique<TlsSession>(loop_.buffers(), client_, "server.test");
    one.handshake =
        std::make_unique<TlsHandshake>(loop_, std::move(socket), std::move(session), pace, timeout,
                                       [&one](TlsHandshake&, TlsResult result) {
                                         EXPECT_FALSE(one.result) << "twice";
                                         one.result = std::move(result);
                                       });
    EXPECT_FALSE(one.result) << "from the constructor";
  }
  static std::array<Fd, 2> NewPair() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    return {Fd(ends[0]), Fd(ends[1])};
  }

  const TlsFixture tls_;
  const std::shared_ptr<const TlsContext> server_;
  const std::shared_ptr<const TlsContext> client_;
  TestLoop loop_;
  One near_;
  One far_;
};

TEST_F(TlsHandshakeTest, BothEndsGetATransport) {
  auto [near, far] = NewPair();
  Begin(near_, std::move(near), true);
  Begin(far_, std::move(far), false);
  ASSERT_TRUE(loop_.RunUntil([this] { return near_.result && far_.result; }));
  EXPECT_EQ(near_.result->outcome, TlsOutcome::kOk) << near_.result->error;
  EXPECT_EQ(far_.result->outcome, TlsOutcome::kOk) << far_.result->error;
  ASSERT_TRUE(near_.result->transport);
  ASSERT_TRUE(far_.result->transport);
  TlsSession& sender = *near_.result->transport.tls();
  ASSERT_TRUE(sender.Seal(reinterpret_cast<const uint8_t*>("hello"), 5));
  sender.Send(near_.result->transport.fd());
  std::array<uint8_t, 100> bytes{};
  EXPECT_EQ(far_.result->transport.Receive(bytes.data(), bytes.size()), 5);
}

TEST_F(TlsHandshakeTest, ASilentPeerIsGivenUp) {
  auto [near, far] = NewPair();
  Begin(near_, std::move(near), true, 5ms);
  ASSERT_TRUE(loop_.RunUntil([this] { return near_.result.has_value(); }));
  EXPECT_EQ(near_.result->outcome, TlsOutcome::kTimeout);
  EXPECT_FALSE(near_.result->transport);
  char byte = 0;
  EXPECT_EQ(recv(far.get(), &byte, 1, 0), 0) << "the socket is open";
}

TEST_F(TlsHandshakeTest, OneThatIsLeftTellsNothing) {
  auto [near, far] = NewPair();
  Begin(near_, std::move(near), true, 1ms);
  near_.handshake->Leave();
  far.Close();
  One other;
  auto [third, fourth] = NewPair();
  Begin(other, std::move(third), true, 2ms);
  EXPECT_TRUE(loop_.RunUntil([&] { return other.result.has_value(); }));
  EXPECT_FALSE(near_.result);
  loop_.Retire(std::move(other.handshake));
}

TEST_F(TlsHandshakeTest, OnlySoManyGoOnInOneTurnAndAllInTheEnd) {
  TlsPace pace;
  constexpr int kMany = 3 * TlsPace::kPerTurn;
  std::vector<One> servers(kMany);
  std::vector<One> clients(kMany);
  for (int i = 0; i < kMany; ++i) {
    auto [near, far] = NewPair();
    Begin(clients[i], std::move(far), false);
    Begin(servers[i], std::move(near), true, 20s, &pace);
  }
  const auto done = [&] {
    return std::count_if(servers.begin(), servers.end(),
                         [](const One& one) { return one.result.has_value(); });
  };
  ptrdiff_t before = 0;
  while (before < kMany) {
    const Instant turn = loop_.now();
    ASSERT_TRUE(loop_.RunUntil([&] { return loop_.now() != turn; }));
    EXPECT_LE(done() - before, TlsPace::kPerTurn);
    before = done();
  }
  for (auto* ones : {&servers, &clients}) {
    for (One& one : *ones) {
      if (one.result) {
        EXPECT_EQ(one.result->outcome, TlsOutcome::kOk) << one.result->error;
      }
      loop_.Retire(std::move(one.handshake));
    }
  }
}

TEST(TlsPaceTest, EveryTurnBeginsAnew) {
  TlsPace pace;
  for (const Instant turn : {1, 2}) {
    for (int i = 0; i < TlsPace::kPerTurn; ++i) EXPECT_TRUE(pace.MayGoOn(turn));
    EXPECT_FALSE(pace.MayGoOn(turn));
    EXPECT_FALSE(pace.MayGoOn(turn));
  }
}

}  // namespace
}  // namespace lanekeeper

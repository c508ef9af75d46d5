// How long a peer of either side may leave unfinished what it has begun. Bytes by hand, over a
// socket pair; the patience is short here.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>

#include "proxy/http2/connection.h"

namespace lanekeeper::http2 {
namespace {

constexpr Instant kMillisecond = 1'000'000;
constexpr Instant kPatience = 50 * kMillisecond;

const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const std::string kSettings("\0\0\0\x04\0\0\0\0\0", 9);
const std::string kSettingsAck("\0\0\0\x04\x01\0\0\0\0", 9);
const std::string kPing("\0\0\x08\x06\0\0\0\0\0pingpong", 17);
// The first byte of a block that announces more; END_HEADERS is missing.
const std::string kBlockBegins("\0\0\x01\x01\0\0\0\0\x01\x82", 10);
const std::string kBlockGoesOn("\0\0\x01\x09\0\0\0\0\x01\x86", 10);

class Observer final : public ConnectionObserver {
 public:
  void OnRequest(int32_t, const FieldList&, bool, bool) override {}
  void OnReady() override {}
  void OnRoom() override {}
  void OnGoaway(const Goaway&) override {}
  void OnPong() override {}
  void OnEnd(const ConnectionEnd& told) override { end = told; }
  std::optional<ConnectionEnd> end;
};

class PatienceTest : public ::testing::TestWithParam<Side> {
 protected:
  PatienceTest() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    peer_ = Fd(ends[1]);
    connection_ = std::make_unique<Connection>(loop_, Fd(ends[0]),
                                               ConnectionOptions{.side = GetParam(),
                                                                 .header_list_bytes_max = 65536,
                                                                 .counts = &counts_,
                                                                 .patience = kPatience},
                                               observer_);
  }

  // All that the handshake asks for.
  std::string Handshake() const {
    return (GetParam() == Side::kDownstream ? kPreface : "") + kSettings + kSettingsAck;
  }
  void Send(const std::string& bytes) {
    ASSERT_EQ(send(peer_.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  void RunFor(Instant time) {
    const Instant until = InstantNow() + time;
    TimerOf<PatienceTest, &PatienceTest::Nothing> wake(loop_.timers(), *this);
    while (!observer_.end && InstantNow() < until) {
      wake.Set(InstantNow() + kMillisecond);
      loop_.Step();
    }
  }
  void Nothing() {}
  // Within long.
  bool EndsAsSlow() {
    RunFor(20'000 * kMillisecond);
    return observer_.end && observer_.end->kind == EndKind::kSlow &&
           counts_.ends[static_cast<size_t>(EndKind::kSlow)] == 1;
  }

  EventLoop loop_;
  FrameCounts counts_;
  Observer observer_;
  Fd peer_;
  std::unique_ptr<Connection> connection_;
};

INSTANTIATE_TEST_SUITE_P(Sides, PatienceTest, ::testing::Values(Side::kDownstream, Side::kUpstream),
                         [](const auto& side) {
                           return side.param == Side::kDownstream ? "Downstream" : "Upstream";
                         });

TEST_P(PatienceTest, EndsWhereAFrameStopsInItsHeader) {
  Send(Handshake() + kPing.substr(0, 5));
  EXPECT_TRUE(EndsAsSlow());
}

TEST_P(PatienceTest, EndsWhereAControlFrameStops) {
  Send(Handshake() + kPing.substr(0, 12));
  EXPECT_TRUE(EndsAsSlow());
}

TEST_P(PatienceTest, LastsWhileFramesAreFinished) {
  Send(Handshake());
  for (Instant time = 0; time < 4 * kPatience; time += kPatience / 10) {
    Send(kPing.substr(0, 12));
    RunFor(kPatience / 20);
    Send(kPing.substr(12));
    RunFor(kPatience / 20);
  }
  RunFor(4 * kPatience);
  EXPECT_FALSE(observer_.end) << observer_.end->text;
}

TEST_P(PatienceTest, LastsWhereFramesAreCutAtEveryRead) {
  Send(Handshake() + kPing.substr(0, 3));
  for (Instant time = 0; time < 4 * kPatience; time += kPatience / 20) {
    RunFor(kPatience / 20);
    Send(kPing.substr(3) + kPing.substr(0, 3));
  }
  EXPECT_FALSE(observer_.end) << observer_.end->text;
}

class ClientPatienceTest : public PatienceTest {};
INSTANTIATE_TEST_SUITE_P(Downstream, ClientPatienceTest, ::testing::Values(Side::kDownstream),
                         [](const auto&) { return "Downstream"; });

TEST_P(ClientPatienceTest, EndsWhereABlockDripsForEver) {
  Send(Handshake() + kBlockBegins);
  for (int i = 0; i < 10'000 && !observer_.end; ++i) {
    RunFor(5 * kMillisecond);
    if (!observer_.end) Send(kBlockGoesOn);
  }
  EXPECT_TRUE(EndsAsSlow());
}

TEST_P(ClientPatienceTest, EndsWhereNothingComes) { EXPECT_TRUE(EndsAsSlow()); }

TEST_P(ClientPatienceTest, EndsWithoutSettings) {
  Send(kPreface);
  EXPECT_TRUE(EndsAsSlow());
}

TEST_P(ClientPatienceTest, EndsWhereOurSettingsAreNotAcknowledged) {
  Send(kPreface + kSettings);
  for (int i = 0; i < 10'000 && !observer_.end; ++i) {
    RunFor(5 * kMillisecond);
    if (!observer_.end) Send(kPing);
  }
  EXPECT_TRUE(EndsAsSlow());
}

}  // namespace
}  // namespace lanekeeper::http2

// What a peer still sends on a stream whose reset waits to be written. The library answers each
// broken frame of it with a reset of its own, so each must count. Bytes by hand, in one read.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>

#include "proxy/http2/connection.h"

namespace lanekeeper::http2 {
namespace {

const std::string kHandshake = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
                               std::string("\0\0\0\x04\0\0\0\0\0", 9) +
                               std::string("\0\0\0\x04\x01\0\0\0\0", 9);
// ":method: GET" and nothing else.
const std::string kRejected("\0\0\x01\x01\x04\0\0\0\x01\x82", 10);
// RFC 9113 section 6.9.1: its window would be above the largest.
const std::string kTooMuch("\0\0\x04\x08\0\0\0\0\x01\x7f\xff\xff\xff", 13);

class Observer final : public ConnectionObserver {
 public:
  void OnRequest(int32_t id, const FieldList&, bool, bool) override {
    connection->RejectMalformed(id);
  }
  void OnReady() override {}
  void OnRoom() override {}
  void OnGoaway(const Goaway&) override {}
  void OnPong() override {}
  void OnEnd(const ConnectionEnd& told) override { end = told; }
  Connection* connection = nullptr;
  std::optional<ConnectionEnd> end;
};

class RejectedStreamsTest : public ::testing::Test {
 protected:
  RejectedStreamsTest() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    peer_ = Fd(ends[1]);
    connection_ = std::make_unique<Connection>(
        loop_, Fd(ends[0]), ConnectionOptions{Side::kDownstream, 65536, &counts_}, observer_);
    observer_.connection = connection_.get();
  }

  void SendBrokenFrames(double count) {
    std::string bytes = kHandshake + kRejected;
    for (int i = 0; i < count; ++i) bytes += kTooMuch;
    ASSERT_EQ(send(peer_.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    for (int i = 0; i < 6; ++i) loop_.Glance();
  }

  static constexpr double kBurst = kFloodLimits[static_cast<size_t>(FloodKind::kForcedReset)].burst;

  EventLoop loop_;
  FrameCounts counts_;
  Observer observer_;
  Fd peer_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(RejectedStreamsTest, BrokenFramesOnARejectedStreamAreAFlood) {
  SendBrokenFrames(kBurst);
  ASSERT_TRUE(observer_.end);
  EXPECT_EQ(observer_.end->kind, EndKind::kFlood) << observer_.end->text;
}

TEST_F(RejectedStreamsTest, AFewOfThemEndNothingElse) {
  SendBrokenFrames(kBurst / 2);
  EXPECT_FALSE(observer_.end) << observer_.end->text;
}

}  // namespace
}  // namespace lanekeeper::http2

// Keepalive by gRPC's rules (gRFC A8): when pings are sent, and what an upstream may say about
// them.
#include <gmock/gmock.h>

#include <chrono>
#include <future>

#include "tests/integration/many_connections.h"
#include "tests/integration/raw_peer.h"

namespace lanekeeper::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class OutageKeepaliveTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(OutageKeepaliveTest);

constexpr milliseconds kTime(500);

void PingOften(Config& config) {
  config.upstream.keepalive.time = kTime;
  config.upstream.keepalive.timeout = std::chrono::seconds(10);
}

// From now until the next ping of ours; timers are never early.
milliseconds UntilPing(RawPeer& peer) {
  const auto begin = steady_clock::now();
  EXPECT_TRUE(peer.Await([&, before = peer.pings()] { return peer.pings() > before; }));
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
}

TEST_P(OutageKeepaliveTest, TooManyPingsMakeTheNextConnectionPingHalfAsOften) {
  std::promise<milliseconds> first, second;
  ManyConnections upstream([&](int fd, int nth) {
    RawPeer peer(RawHttp2::Accepted(fd));
    if (!peer.AwaitHeaders(1)) return;
    peer.Respond(1);
    (nth == 1 ? first : second).set_value(UntilPing(peer));
    if (nth == 1)
      peer.GoAway(1, kEnhanceYourCalm, "too_many_pings");
    else
      peer.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address(), PingOften);
  RawPeer client = RawPeer::Dial(proxy);
  client.Headers(1, RequestFields());
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].status(), "14");
  EXPECT_GE(first.get_future().get(), kTime / 2);
  client.Headers(3, RequestFields());
  EXPECT_TRUE(client.AwaitHeaders(3));
  EXPECT_GT(second.get_future().get(), kTime * 3 / 2);
}

// Servers count pings without RPCs as strikes.
TEST_P(OutageKeepaliveTest, WithoutRpcsThereAreNoPings) {
  std::promise<void> asked;
  std::atomic<int> pings{0};
  ManyConnections upstream([&](int fd, int) {
    RawPeer peer(RawHttp2::Accepted(fd));
    peer.Await([&] {
      pings = peer.pings();
      return peer.streams().count(1) > 0 || peer.http2().closed();
    });
    asked.set_value();
    peer.Serve([&](uint32_t stream) { peer.Answer(stream, "served"); });
  });
  ProxyHarness proxy(GetParam(), upstream.address(), PingOften);
  const auto end = steady_clock::now() + 3 * kTime;
  EXPECT_TRUE(Eventually([&] { return steady_clock::now() > end; }));
  EXPECT_EQ(Unary(proxy.channel(), "x").response, "served");
  asked.get_future().wait();
  EXPECT_EQ(pings, 0);
}

}  // namespace
}  // namespace lanekeeper::testing

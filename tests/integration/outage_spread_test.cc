// round_robin with more than one connection an address: extras are made where there are fewest, and
// one at a time.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <future>

#include "tests/integration/many_connections.h"
#include "tests/integration/raw_peer.h"

namespace lanekeeper::testing {
namespace {

constexpr char kConnections[] = "lanekeeper_upstream_connections";
constexpr char kAwaiting[] = "lanekeeper_streams_awaiting_upstream";

class OutageSpreadTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(OutageSpreadTest);

void SpreadOverThree(Config& config) {
  config.upstream.load_balancing = LoadBalancing::kRoundRobin;
  config.upstream.connections = 3;
}

std::string Both(const ManyConnections& first, const ManyConnections& second) {
  return "ipv4:" + first.address() + "," + second.address();
}

// Takes one stream on each connection; answers it with headers and leaves it open.
void TakeOne(int fd) {
  RawPeer peer(RawHttp2::Accepted(fd, Setting(kMaxConcurrentStreams, 1)));
  if (!peer.AwaitHeaders(1)) return;
  peer.Respond(1);
  peer.AwaitClosed(std::chrono::seconds(100));
}

TEST_P(OutageSpreadTest, TheAddressWithTheFewestConnectionsGetsTheNextOne) {
  ManyConnections a([](int fd, int) { TakeOne(fd); });
  ManyConnections b([](int fd, int) { TakeOne(fd); });
  ProxyHarness proxy(GetParam(), Both(a, b), SpreadOverThree);
  ASSERT_TRUE(proxy.AwaitMetric(kConnections, {}, 2)) << "one for each address, without an RPC";
  RawPeer client = RawPeer::Dial(proxy);
  for (int open = 1; open <= 6; ++open) {
    const auto stream = static_cast<uint32_t>(2 * open - 1);
    client.Headers(stream, RequestFields());
    ASSERT_TRUE(client.AwaitHeaders(stream));
    EXPECT_EQ(proxy.Metric(kConnections), std::max(2, open));
    EXPECT_LE(std::abs(a.dials() - b.dials()), 1) << "of " << open;
  }
}

// A server that becomes ready only when the test says so: whoever waits then must not have had
// further connections made elsewhere.
TEST_P(OutageSpreadTest, NoneIsMadeWhileAnotherIsBeingMade) {
  std::promise<void> ready;
  const std::shared_future<void> is_ready = ready.get_future().share();
  const auto serve = [&](int fd, int nth) {
    if (nth == 1) return TakeOne(fd);
    is_ready.wait_for(kPatience);
    RawPeer peer(RawHttp2::Accepted(fd));
    peer.Serve([&](uint32_t stream) { peer.Answer(stream, "served"); });
  };
  ManyConnections a(serve), b(serve);
  ProxyHarness proxy(GetParam(), Both(a, b), SpreadOverThree);
  ASSERT_TRUE(proxy.AwaitMetric(kConnections, {}, 2));
  RawPeer client = RawPeer::Dial(proxy);
  for (const uint32_t stream : {1u, 3u}) {
    client.Headers(stream, RequestFields());
    ASSERT_TRUE(client.AwaitHeaders(stream));
  }
  for (uint32_t stream = 5; stream < 25; stream += 2) client.Ask(stream, "waits");
  EXPECT_TRUE(proxy.AwaitMetric(kAwaiting, {}, 10));
  ready.set_value();
  for (uint32_t stream = 5; stream < 25; stream += 2) {
    EXPECT_TRUE(client.AwaitOver(stream));
    EXPECT_EQ(client[stream].data, Framed("served"));
  }
  EXPECT_EQ(a.dials() + b.dials(), 3);
  EXPECT_EQ(proxy.Metric(kConnections), 3);
}

}  // namespace
}  // namespace lanekeeper::testing

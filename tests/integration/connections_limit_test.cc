// limits.connections: one connection too many is closed at once, whichever listener it came to, and
// those that are open do not notice.
#include <gmock/gmock.h>

#include <optional>
#include <vector>

#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

constexpr char kOpen[] = "lanekeeper_downstream_connections";
constexpr char kRejected[] = "lanekeeper_connections_rejected_total";

class ConnectionsLimitTest : public BothKinds {
 protected:
  static void ExpectAnswer(RawPeer& client, uint32_t stream) {
    client.Ask(stream, "x");
    ASSERT_TRUE(client.AwaitOver(stream));
    EXPECT_EQ(client[stream].status(), "0");
  }
};
LANEKEEPER_BOTH_KINDS(ConnectionsLimitTest);

TEST_P(ConnectionsLimitTest, OneTooManyIsClosedAndRoomIsGivenBack) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address(), [](Config& config) {
    config.listen.push_back({"127.0.0.1:0"});
    config.limits.connections = 2;
  });
  const std::vector<int> ports = proxy.app().listener().ports();
  ASSERT_EQ(ports.size(), 2u);
  std::optional<RawPeer> first(RawHttp2::Dial(ports[0]));
  RawPeer second(RawHttp2::Dial(ports[1]));
  ASSERT_NO_FATAL_FAILURE(ExpectAnswer(*first, 1));
  ASSERT_NO_FATAL_FAILURE(ExpectAnswer(second, 1));
  for (const int port : ports) EXPECT_TRUE(RawPeer(RawHttp2::Dial(port)).AwaitClosed());
  EXPECT_EQ(proxy.Metric(kRejected, {{"reason", "connections"}}), 2);
  EXPECT_EQ(proxy.Metric(kOpen), 2);
  ASSERT_NO_FATAL_FAILURE(ExpectAnswer(second, 3));

  first.reset();
  ASSERT_TRUE(proxy.AwaitMetric(kOpen, {}, 1));
  RawPeer third(RawHttp2::Dial(ports[0]));
  ASSERT_NO_FATAL_FAILURE(ExpectAnswer(third, 1));
  EXPECT_EQ(proxy.Metric(kRejected), 2);
}

TEST_P(ConnectionsLimitTest, ManyThatAreRefusedLeaveTheOpenOneItsAnswers) {
  constexpr int kTooMany = 300;
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.limits.connections = 1; });
  RawPeer client = RawPeer::Dial(proxy);
  ASSERT_NO_FATAL_FAILURE(ExpectAnswer(client, 1));
  const int port = proxy.app().listener().ports().front();
  std::vector<RawHttp2> refused;
  for (int i = 0; i < kTooMany; ++i) refused.push_back(RawHttp2::Connect(port));
  ASSERT_NO_FATAL_FAILURE(ExpectAnswer(client, 3));
  ASSERT_TRUE(proxy.AwaitMetric(kRejected, {}, kTooMany));
  for (RawHttp2& one : refused) EXPECT_EQ(one.ReadText(), "");
  ASSERT_NO_FATAL_FAILURE(ExpectAnswer(client, 5));
  EXPECT_EQ(proxy.Metric(kOpen), 1);
}

}  // namespace
}  // namespace lanekeeper::testing

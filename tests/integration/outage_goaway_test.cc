// Idle connections that an upstream ends in order, as servers do that give connections a greatest
// age or idle time: it is well, whatever was before.
#include <gmock/gmock.h>

#include <atomic>

#include "tests/integration/many_connections.h"
#include "tests/integration/raw_peer.h"

namespace lanekeeper::testing {
namespace {

// Longer than the least that any connection lives to be good, shorter than the pause after kUseless
// dials in vain, which is 1.28 s at least.
constexpr std::chrono::milliseconds kAge(1100);
constexpr int kUseless = 2;
constexpr int kRenewed = 3;

class OutageGoawayTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(OutageGoawayTest);

TEST_P(OutageGoawayTest, IdleConnectionsThatEndInOrderAreReplacedAtOnceAndNoRpcFails) {
  std::atomic<int> renewed{0};
  ManyConnections upstream([&](int fd, int nth) {
    if (nth <= kUseless) return RawHttp2::Untouched(fd).Abort();
    RawPeer peer(RawHttp2::Accepted(fd));
    if (nth <= kUseless + kRenewed) {
      EXPECT_FALSE(peer.AwaitClosed(kAge));
      peer.GoAway(0);
      EXPECT_TRUE(peer.AwaitClosed());
      ++renewed;
      return;
    }
    peer.Serve([&](uint32_t stream) { peer.Answer(stream, "served"); });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  ASSERT_TRUE(Eventually([&] { return renewed == kRenewed; }));
  const UnaryResult result = Unary(proxy.channel(), "x");
  EXPECT_EQ(result.response, "served") << result.status.error_message();
}

}  // namespace
}  // namespace lanekeeper::testing

// Connections that are replaced before they break: when stream ids run out, and by their age.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/integration/many_connections.h"
#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"

namespace lanekeeper::testing {
namespace {

constexpr char kAwaiting[] = "lanekeeper_streams_awaiting_upstream";
constexpr char kConnections[] = "lanekeeper_upstream_connections";
// Three quarters of all ids (RFC 9113 section 5.1.1); from here on another connection takes over.
constexpr int32_t kIdsUsedMax = 3 << 29;
constexpr int32_t kLastId = INT32_MAX;

class OutageIdsTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(OutageIdsTest);

// An RPC that stays open over all that happens to the connections behind it.
class LongCall {
 public:
  explicit LongCall(const ProxyHarness& proxy) : call_(proxy.channel()) {
    call_.Start();
    Say("first");
  }
  void Say(const std::string& word) {
    EXPECT_TRUE(call_.Write(word));
    EXPECT_EQ(call_.Read(), word);
  }
  void End() {
    Say("last");
    EXPECT_TRUE(call_.End().ok());
  }

 private:
  DownstreamCall call_;
};

TEST_P(OutageIdsTest, WhenIdsRunOutAnotherConnectionTakesOverAndNoRpcFails) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address(), {}, {.first_stream_id = kIdsUsedMax + 1 - 10});
  LongCall over_all(proxy);
  for (int i = 0; upstream.connections() < 4; ++i) {
    ASSERT_LT(i, 10'000) << "it goes on with the first connection";
    const grpc::Status status = Unary(proxy.channel(), "x").status;
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  over_all.End();
  EXPECT_TRUE(Eventually([&] { return proxy.Metric(kConnections) <= 2; })) << "they do not close";
}

// A replacement that cannot be made must not end what the ids that are left can carry, and what
// comes after the last id waits.
TEST_P(OutageIdsTest, BeyondTheLastIdRpcsWaitForAConnectionThatTheUpstreamTakes) {
  std::atomic<bool> open{false};
  ManyConnections upstream([&](int fd, int nth) {
    if (nth > 1 && !open) return RawHttp2::Untouched(fd).Abort();
    RawPeer peer(RawHttp2::Accepted(fd));
    peer.Serve([&](uint32_t stream) { peer.Answer(stream, std::to_string(stream)); });
  });
  ProxyHarness proxy(GetParam(), upstream.address(), {}, {.first_stream_id = kLastId - 4});
  for (const int id : {kLastId - 4, kLastId - 2, kLastId}) {
    EXPECT_EQ(Unary(proxy.channel(), "x").response, std::to_string(id));
  }
  std::thread waits([&] { EXPECT_TRUE(Unary(proxy.channel(), "x").status.ok()); });
  EXPECT_TRUE(proxy.AwaitMetric(kAwaiting, {}, 1));
  EXPECT_LE(upstream.dials(), 4) << "its replacement is dialled without pauses";
  open = true;
  waits.join();
}

TEST_P(OutageIdsTest, AConnectionThatIsOldIsReplacedAndNoRpcFails) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address(), [](Config& config) {
    config.upstream.max_age = std::chrono::milliseconds(100);
  });
  LongCall over_all(proxy);
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      EXPECT_TRUE(Eventually([&] {
        const grpc::Status status = Unary(proxy.channel(), "x").status;
        EXPECT_TRUE(status.ok()) << status.error_message();
        return !status.ok() || upstream.connections() >= 5;
      }));
    });
  }
  for (std::thread& caller : callers) caller.join();
  over_all.End();
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_retries_total"), 0) << "not made before it breaks";
}

}  // namespace
}  // namespace lanekeeper::testing

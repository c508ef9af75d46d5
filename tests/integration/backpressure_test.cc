// A receiver that does not take stops its sender: what the proxy holds is one message being sent,
// one of lookahead, and what HTTP/2's windows let through. A neighbour stream is not held up.
#include <gmock/gmock.h>

#include <atomic>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

using std::chrono::milliseconds;

class BackpressureTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(BackpressureTest);

constexpr size_t kMessageBytes = 4 * 1024 * 1024;
// In the proxy: one being sent, one of lookahead. On the way: one that the sender's library has
// taken but not yet sent through the window, at either hop. And what the windows hold: 64 KiB at
// first, but gRPC's estimate of the bandwidth-delay product widens them on a busy machine, where a
// ping takes long.
constexpr int kMessagesHeldMax = 8;
constexpr milliseconds kStalled{1000};

void ExpectNeighbourMoves(const ProxyHarness& proxy) {
  DownstreamCall neighbour(proxy.channel(), "/s/Echo");
  neighbour.Start();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(neighbour.Write(std::string(1000, 'n')));
    ASSERT_TRUE(neighbour.Read().has_value());
  }
  EXPECT_TRUE(neighbour.End().ok());
}

TEST_P(BackpressureTest, AStalledUpstreamStopsTheDownstreamsSender) {
  FakeUpstream upstream([](UpstreamCall& call) {
    if (call.method() == "/s/Echo") return Echo(call);
    call.AwaitCancelled();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel(), "/s/Stalled");
  call.Start();
  int accepted = 0;
  while (call.WriteWithin(std::string(kMessageBytes, 'x'), kStalled)) {
    ASSERT_LE(++accepted, kMessagesHeldMax) << "the sender is not held back";
  }
  EXPECT_EQ(proxy.Metric("lanekeeper_stream_ops_in_flight",
                         {{"direction", "to_upstream"}, {"op", "send"}}),
            1);
  EXPECT_LE(proxy.Metric("lanekeeper_stream_ops_in_flight",
                         {{"direction", "to_upstream"}, {"op", "receive"}}),
            1);
  ExpectNeighbourMoves(proxy);
  call.Cancel();
  call.AwaitWrite();
}

TEST_P(BackpressureTest, AStalledDownstreamStopsTheUpstreamsSender) {
  std::atomic<int> accepted{0};
  std::atomic<bool> stalled{false};
  FakeUpstream upstream([&](UpstreamCall& call) {
    if (call.method() == "/s/Echo") return Echo(call);
    while (call.WriteWithin(std::string(kMessageBytes, 'x'), kStalled)) ++accepted;
    stalled = true;
    call.AwaitCancelled();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel(), "/s/Stalled");
  call.Start();
  ASSERT_TRUE(Eventually([&] { return stalled.load(); })) << accepted << " messages were accepted";
  EXPECT_LE(accepted, kMessagesHeldMax);
  EXPECT_EQ(proxy.Metric("lanekeeper_stream_ops_in_flight",
                         {{"direction", "to_downstream"}, {"op", "send"}}),
            1);
  EXPECT_LE(proxy.Metric("lanekeeper_stream_ops_in_flight",
                         {{"direction", "to_downstream"}, {"op", "receive"}}),
            1);
  ExpectNeighbourMoves(proxy);
}

TEST_P(BackpressureTest, AStalledReceiverThatGoesOnGetsEveryMessage) {
  constexpr int kMessages = 20;
  FakeUpstream upstream([](UpstreamCall& call) {
    for (int i = 0; i < kMessages; ++i) call.Write(std::string(300000, static_cast<char>('a' + i)));
    call.Finish();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  ASSERT_TRUE(call.AwaitHeaders());
  ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_stream_ops_in_flight",
                                {{"direction", "to_downstream"}, {"op", "send"}}, 1));
  for (int i = 0; i < kMessages; ++i) {
    ASSERT_EQ(call.Read(), std::string(300000, static_cast<char>('a' + i)));
  }
  EXPECT_EQ(call.Read(), std::nullopt);
  EXPECT_TRUE(call.Finish().ok());
}

// The proof of the contract: whatever a stream does, each lane has at most one operation in flight.
TEST_P(BackpressureTest, ABusyStreamHasAtMostOneOperationInFlightPerLane) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(call.Write(std::string(20000, 'x')));
    for (const char* direction : {"to_upstream", "to_downstream"}) {
      for (const char* op : {"receive", "send"}) {
        const double in_flight =
            proxy.Metric("lanekeeper_stream_ops_in_flight", {{"direction", direction}, {"op", op}});
        ASSERT_GE(in_flight, 0);
        ASSERT_LE(in_flight, 1);
      }
    }
    ASSERT_TRUE(call.Read().has_value());
  }
  EXPECT_TRUE(call.End().ok());
}

}  // namespace
}  // namespace lanekeeper::testing

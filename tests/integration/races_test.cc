// Two ends of an RPC that meet, a thousand times each: whichever comes first, the RPC ends once, is
// counted once and leaves nothing behind. ProxyHarness looks for operations and threads at the end.
#include <gmock/gmock.h>

#include <atomic>

#include "tests/integration/many_connections.h"
#include "tests/integration/raw_peer.h"

namespace lanekeeper::testing {
namespace {

constexpr uint32_t kTimes = 1000;

using ::testing::AnyOf;

class RacesTest : public BothKinds {
 protected:
  static uint32_t Nth(uint32_t time) { return 2 * time + 1; }

  // What takes a moment of the length `time % 8`, so that not always the same side wins.
  static void Dawdle(uint32_t time) {
    std::atomic<uint32_t> turns{time % 8 * 1000};
    while (turns.fetch_add(1, std::memory_order_relaxed) < 8000) {
    }
  }

  static void AnswerAll(int fd) {
    RawPeer peer(RawHttp2::Accepted(fd));
    peer.Serve([&](uint32_t stream) { peer.Answer(stream, "answer"); });
  }

  static void ExpectEachEndedOnce(const ProxyHarness& proxy, double started) {
    EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_open", {}, 0));
    EXPECT_EQ(proxy.Metric("grpc_server_started_total"), started);
    EXPECT_EQ(proxy.Metric("grpc_server_handled_total"), started);
    EXPECT_EQ(proxy.Metric("lanekeeper_streams_terminated_total"), started);
    EXPECT_EQ(proxy.Metric("lanekeeper_stream_contract_violations_total"), 0);
  }
};
LANEKEEPER_BOTH_KINDS(RacesTest);

TEST_P(RacesTest, ACancelAndTheAnswer) {
  ManyConnections upstream([](int fd, int) { AnswerAll(fd); });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  for (uint32_t time = 0; time < kTimes; ++time) {
    client.Ask(Nth(time), "request");
    Dawdle(time);
    client.Reset(Nth(time), kCancel);
  }
  client.Ask(Nth(kTimes), "the last");
  EXPECT_TRUE(client.AwaitOver(Nth(kTimes)));
  EXPECT_EQ(client[Nth(kTimes)].status(), "0");
  ExpectEachEndedOnce(proxy, kTimes + 1);
}

TEST_P(RacesTest, ADeadlineAndTheAnswer) {
  ManyConnections upstream([](int fd, int) { AnswerAll(fd); });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  for (uint32_t time = 0; time < kTimes; ++time) {
    client.Ask(Nth(time), "request", {{"grpc-timeout", std::to_string(time + 1) + "u"}});
    ASSERT_TRUE(client.AwaitOver(Nth(time)));
    EXPECT_THAT(client[Nth(time)].status(), AnyOf("0", "4"));
  }
  ExpectEachEndedOnce(proxy, kTimes);
}

TEST_P(RacesTest, ALostClientAndTheAnswer) {
  ManyConnections upstream([](int fd, int) { AnswerAll(fd); });
  ProxyHarness proxy(GetParam(), upstream.address());
  for (uint32_t time = 0; time < kTimes; ++time) {
    RawPeer client = RawPeer::Dial(proxy);
    client.Ask(1, "request");
    Dawdle(time);
    if (time % 2 == 0) client.http2().Abort();
  }
  RawPeer last = RawPeer::Dial(proxy);  // accepted behind all others
  last.Ask(1, "request");
  EXPECT_TRUE(last.AwaitOver(1));
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_downstream_connections", {}, 1));
  // Some are lost before their request has been read.
  ExpectEachEndedOnce(proxy, proxy.Metric("grpc_server_started_total"));
  EXPECT_GE(proxy.Metric("grpc_server_started_total"), kTimes / 2);
}

TEST_P(RacesTest, ResetsOfBothSides) {
  ManyConnections upstream([](int fd, int) {
    RawPeer peer(RawHttp2::Accepted(fd));
    peer.Serve([&](uint32_t stream) { peer.Reset(stream, kCancel); });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  for (uint32_t time = 0; time < kTimes; ++time) {
    client.Ask(Nth(time), "request");
    Dawdle(time);
    client.Reset(Nth(time), kCancel);
  }
  client.Ask(Nth(kTimes), "the last");
  EXPECT_TRUE(client.AwaitOver(Nth(kTimes)));
  ExpectEachEndedOnce(proxy, kTimes + 1);
}

// It says goodbye while requests are on their way to it: they are started elsewhere, and none
// twice.
TEST_P(RacesTest, AGoawayAndRequests) {
  constexpr uint32_t kOfAConnection = 10;
  std::atomic<uint32_t> answered{0};
  ManyConnections upstream([&](int fd, int) {
    RawPeer peer(RawHttp2::Accepted(fd));
    uint32_t taken = 0, last = 0;
    peer.Serve([&](uint32_t stream) {
      if (last != 0 && stream > last) return;
      ++answered;
      peer.Answer(stream, "answer");
      if (++taken == kOfAConnection) peer.GoAway(last = stream);
    });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  constexpr uint32_t kAtOnce = 4;
  for (uint32_t time = 0; time < kTimes; time += kAtOnce) {
    for (uint32_t i = 0; i < kAtOnce; ++i) client.Ask(Nth(time + i), "request");
    for (uint32_t i = 0; i < kAtOnce; ++i) {
      ASSERT_TRUE(client.AwaitOver(Nth(time + i)));
      EXPECT_EQ(client[Nth(time + i)].status(), "0") << client[Nth(time + i)].Value("grpc-message");
    }
  }
  EXPECT_EQ(answered, kTimes);
  ExpectEachEndedOnce(proxy, kTimes);
}

}  // namespace
}  // namespace lanekeeper::testing

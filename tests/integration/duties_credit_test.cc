// Credit of the shared connection comes back whatever becomes of the streams that spent it, and who
// keeps it from the others can be ended.
#include <gmock/gmock.h>

#include "tests/integration/raw_peer.h"

namespace lanekeeper::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

class DutiesCreditTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(DutiesCreditTest);

constexpr uint32_t kRpcs = 200;
const std::string kLate(60000, 'x');
const std::string kLarge = Framed(std::string(1 << 20, 'x'));

// RFC 9113 section 5.1: what arrives behind a reset counts for the connection's window, so it must
// be given back.
TEST_P(DutiesCreditTest, WhatTheUpstreamSendsBehindAResetIsGivenBack) {
  ScriptedUpstream upstream([](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    for (uint32_t stream = 1; stream < 2 * kRpcs; stream += 2) {
      if (!peer.AwaitHeaders(stream)) return;
      peer.Respond(stream);
      if (!peer.AwaitOver(stream)) return;
      EXPECT_TRUE(peer.Data(stream, kLate));
    }
    const uint32_t last = 2 * kRpcs + 1;
    if (!peer.AwaitOver(last)) return;
    peer.Respond(last);
    EXPECT_TRUE(peer.Data(last, kLarge));
    peer.Finish(last);
    peer.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  for (uint32_t stream = 1; stream < 2 * kRpcs; stream += 2) {
    client.Headers(stream, RequestFields());
    ASSERT_TRUE(client.AwaitHeaders(stream));
    client.Reset(stream, kCancel);
  }
  RawPeer neighbour = RawPeer::Dial(proxy);
  neighbour.Ask(1, "all of it");
  EXPECT_TRUE(neighbour.AwaitOver(1));
  EXPECT_TRUE(neighbour[1].data == kLarge) << neighbour[1].data.size();
  EXPECT_EQ(neighbour[1].status(), "0");
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_connections"), 1);
}

TEST_P(DutiesCreditTest, WhatAClientSendsBehindAnEarlyEndIsGivenBack) {
  ScriptedUpstream upstream([](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    for (uint32_t stream = 1; stream < 2 * kRpcs; stream += 2) {
      if (!peer.AwaitHeaders(stream)) return;
      peer.Headers(stream, ResponseFields({{"grpc-status", "9"}}), kEndStream);
    }
    peer.Serve([&](uint32_t stream) {
      if (stream != 2 * kRpcs + 1) return;
      EXPECT_TRUE(peer[stream].data == kLarge);
      peer.Answer(stream, "all there");
    });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  for (uint32_t stream = 1; stream < 2 * kRpcs; stream += 2) {
    client.Headers(stream, RequestFields());
    ASSERT_TRUE(client.AwaitOver(stream));
    EXPECT_EQ(client[stream].status(), "9");
    ASSERT_TRUE(client.Data(stream, kLate)) << stream;
  }
  const uint32_t last = 2 * kRpcs + 1;
  client.Headers(last, RequestFields());
  EXPECT_TRUE(client.Data(last, kLarge, kEndStream));
  EXPECT_TRUE(client.AwaitOver(last));
  EXPECT_EQ(client[last].data, Framed("all there"));
}

// Padding counts as well (RFC 9113 section 6.1).
TEST_P(DutiesCreditTest, PaddingIsGivenBack) {
  constexpr int kFrames = 2000;
  constexpr uint8_t kPadding = 255;
  const std::string message = Framed("padded");
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    peer.Serve([&](uint32_t stream) {
      EXPECT_EQ(peer[stream].data.size(), kFrames * message.size());
      peer.Answer(stream, "done");
    });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  client.Headers(1, RequestFields());
  for (int i = 0; i < kFrames; ++i) {
    ASSERT_TRUE(client.PaddedData(1, message, kPadding)) << i;
  }
  client.Data(1, "", kEndStream);
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].data, Framed("done"));
}

// An upstream that gives credit only for what its handlers read: one that sleeps on 65,535 bytes
// stops all others. No protocol helps them; only the end of the one that holds the window does.
TEST_P(DutiesCreditTest, WhoHoldsTheConnectionsWindowIsEndedAndNotWhoWaitsForIt) {
  const uint32_t beside = 1, culprit = 3, waiting = 5;
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener, Setting(kInitialWindowSize, 1 << 20));
    peer.Hold(culprit);
    if (!peer.AwaitHeaders(beside)) return;
    peer.Respond(beside);
    EXPECT_TRUE(peer.Await([&] { return peer[culprit].reset.has_value(); }));
    EXPECT_EQ(peer[culprit].reset, kCancel);
    EXPECT_EQ(peer[culprit].data.size(), kFirstWindow);
    peer.Release(culprit);
    peer.Serve([&](uint32_t stream) {
      if (stream == waiting) peer.Answer(stream, "at last");
      if (stream == beside) peer.Finish(stream);
    });
  });
  ProxyHarness proxy(GetParam(), upstream.address(), [](Config& config) {
    config.stuck.after = std::chrono::seconds(1);
    config.stuck.action = StuckAction::kCancel;
  });
  RawPeer neighbour = RawPeer::Dial(proxy);
  neighbour.Headers(1, RequestFields());
  ASSERT_TRUE(neighbour.AwaitHeaders(1));
  RawPeer holder = RawPeer::Dial(proxy);
  holder.Headers(1, RequestFields());
  ASSERT_TRUE(holder.Data(1, Framed(std::string(kFirstWindow - 5, 'x'))));
  ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_stream_message_bytes_total",
                                {{"direction", "to_upstream"}}, kFirstWindow - 5));
  RawPeer client = RawPeer::Dial(proxy);
  client.Ask(1, "must wait");

  EXPECT_TRUE(holder.AwaitOver(1));
  EXPECT_EQ(holder[1].status(), "10");
  EXPECT_THAT(holder[1].Value("grpc-message"), StartsWith("lanekeeper: "));
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].data, Framed("at last"));
  EXPECT_EQ(client[1].status(), "0");
  neighbour.Data(1, Framed("still here"), kEndStream);
  EXPECT_TRUE(neighbour.AwaitOver(1));
  EXPECT_EQ(neighbour[1].status(), "0");
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_terminated_total", {{"cause", "stuck"}}, 1));
  EXPECT_GE(proxy.Metric("lanekeeper_stream_stalls_total", {{"kind", "upstream_window"}}), 1);
}

// One that sent little before the window was spent is a victim, too.
TEST_P(DutiesCreditTest, TheLiveListNamesWhoHoldsMostOfTheConnectionsWindow) {
  constexpr uint32_t kLittle = 1, kMost = 3, kWaiting = 5;
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener, Setting(kInitialWindowSize, 1 << 20));
    peer.Hold(kLittle);
    peer.Hold(kMost);
    peer.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.stuck.after = std::chrono::seconds(1); });
  RawPeer client = RawPeer::Dial(proxy);
  size_t sent = 0;
  const auto send = [&](uint32_t stream, size_t bytes) {
    client.Headers(stream, RequestFields());
    sent += bytes - Framed("").size();
    if (!client.Data(stream, Framed(std::string(bytes - Framed("").size(), 'x')))) return false;
    return proxy.AwaitMetric("lanekeeper_stream_message_bytes_total",
                             {{"direction", "to_upstream"}}, static_cast<double>(sent));
  };
  ASSERT_TRUE(send(kLittle, 1000));
  ASSERT_TRUE(send(kMost, kFirstWindow - 1000));
  client.Ask(kWaiting, "must wait");
  StreamFilter stuck;
  stuck.stuck = true;
  std::vector<StreamSnapshot> listed;
  const auto named = [&] {
    listed = proxy.app().control().ListStreams(stuck, 0, 10).streams;
    return listed.size() == 1 && !listed[0].window_holders.empty();
  };
  ASSERT_TRUE(Eventually(named));
  EXPECT_THAT(listed[0].window_holders, ElementsAre(listed[0].id - 1));
}

}  // namespace
}  // namespace lanekeeper::testing

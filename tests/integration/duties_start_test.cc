// What an upstream may say before it answers: informational answers, and limits on streams and on
// headers.
#include <gmock/gmock.h>

#include <future>

#include "tests/integration/raw_peer.h"

namespace lanekeeper::testing {
namespace {

using ::testing::StartsWith;

constexpr char kAwaiting[] = "lanekeeper_streams_awaiting_upstream";

class DutiesStartTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(DutiesStartTest);

// ---- informational answers (RFC 9110 section 15.2)

TEST_P(DutiesStartTest, InformationalAnswersAreNotTheAnswer) {
  const std::vector<std::vector<std::string>> informational = {
      {"100"}, {"103"}, {"102", "103", "100"}, std::vector<std::string>(20, "103")};
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    size_t next = 0;
    peer.Serve([&](uint32_t stream) {
      if (next < informational.size()) {
        for (const std::string& status : informational[next++]) {
          peer.Headers(stream, {{":status", status}, {"link", "</style.css>; rel=preload"}});
        }
      }
      peer.Answer(stream, "the answer");
    });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  for (uint32_t stream = 1; stream < 2 * informational.size() + 2; stream += 2) {
    client.Ask(stream, "x");
    EXPECT_TRUE(client.AwaitOver(stream));
    EXPECT_EQ(client[stream].data, Framed("the answer"));
    EXPECT_EQ(client[stream].status(), "0");
    // They may pass, as what they are; nothing else may be there.
    std::erase_if(client[stream].blocks, [](const Fields& block) {
      const std::vector<std::string> status = Values(block, ":status");
      return !status.empty() && status[0].starts_with('1');
    });
    EXPECT_EQ(client[stream].blocks.size(), 2u);
  }
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_connections"), 1);
}

TEST_P(DutiesStartTest, AnInformationalAnswerDoesNotKeepAnRpcFromBeingSentAgain) {
  ScriptedUpstream upstream([](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    peer.Serve([&](uint32_t stream) {
      if (stream > 1) return peer.Answer(stream, "again");
      peer.Headers(stream, {{":status", "103"}});
      peer.Reset(stream, kRefusedStream);
    });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  EXPECT_EQ(Unary(proxy.channel(), "x").response, "again");
}

// ---- MAX_CONCURRENT_STREAMS (RFC 9113 section 5.1.2)

TEST_P(DutiesStartTest, FewerStreamsThanAreOpenLetThemGoOnAndHoldTheNext) {
  constexpr uint32_t kOpen = 10, kMore = 5, kLowered = 3;
  const auto id = [](uint32_t nth) { return 2 * nth + 1; };
  std::promise<void> all_ask;
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    if (!peer.AwaitHeaders(id(kOpen - 1))) return;
    peer.Send(kSettings, 0, 0, Setting(kMaxConcurrentStreams, kLowered));
    if (!peer.Await([&] { return peer.settings_acknowledged() == 2; })) return;
    for (uint32_t nth = 0; nth < kOpen; ++nth) peer.Respond(id(nth));
    all_ask.get_future().wait();
    // A PING that comes back shows that nothing has begun meanwhile.
    const auto began = [&](uint32_t nth) { return !peer[id(nth)].blocks.empty(); };
    for (uint32_t nth = 0; nth < kOpen - kLowered; ++nth) {
      peer.Headers(id(nth), {{"grpc-status", "0"}}, kEndStream);
      peer.Send(kPing, 0, 0, "nth ends");
      const int pings = static_cast<int>(nth) + 1;
      EXPECT_TRUE(peer.Await([&] { return peer.pings_acknowledged() == pings; }));
      EXPECT_FALSE(began(kOpen)) << nth;
    }
    peer.Headers(id(kOpen - kLowered), {{"grpc-status", "0"}}, kEndStream);
    EXPECT_TRUE(peer.AwaitHeaders(id(kOpen)));
    EXPECT_FALSE(began(kOpen + 1));
    peer.Send(kSettings, 0, 0, Setting(kMaxConcurrentStreams, 100));
    EXPECT_TRUE(peer.AwaitHeaders(id(kOpen + kMore - 1)));
    for (uint32_t nth = kOpen; nth < kOpen + kMore; ++nth) peer.Respond(id(nth));
    for (uint32_t nth = kOpen - kLowered + 1; nth < kOpen + kMore; ++nth) peer.Finish(id(nth));
    peer.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  for (uint32_t nth = 0; nth < kOpen; ++nth) client.Headers(id(nth), RequestFields());
  for (uint32_t nth = 0; nth < kOpen; ++nth) ASSERT_TRUE(client.AwaitHeaders(id(nth)));
  for (uint32_t nth = kOpen; nth < kOpen + kMore; ++nth) client.Headers(id(nth), RequestFields());
  EXPECT_TRUE(proxy.AwaitMetric(kAwaiting, {}, kMore));
  all_ask.set_value();
  for (uint32_t nth = 0; nth < kOpen + kMore; ++nth) {
    EXPECT_TRUE(client.AwaitOver(id(nth)));
    EXPECT_EQ(client[id(nth)].status(), "0") << nth;
  }
  EXPECT_EQ(proxy.Metric(kAwaiting), 0);
}

TEST_P(DutiesStartTest, MoreStreamsLetWaitingRpcsStart) {
  constexpr uint32_t kRpcs = 4;
  for (const uint32_t few : {0, 1}) {
    std::promise<void> all_wait;
    ScriptedUpstream upstream([&](const RawListener& listener) {
      RawPeer peer = RawPeer::Accept(listener, Setting(kMaxConcurrentStreams, few));
      all_wait.get_future().wait();
      peer.Send(kSettings, 0, 0, Setting(kMaxConcurrentStreams, 100));
      EXPECT_TRUE(peer.AwaitHeaders(2 * kRpcs - 1));
      for (uint32_t stream = 1; stream < 2 * kRpcs; stream += 2) peer.Answer(stream, "x");
      peer.AwaitClosed();
    });
    ProxyHarness proxy(GetParam(), upstream.address());
    RawPeer client = RawPeer::Dial(proxy);
    for (uint32_t stream = 1; stream < 2 * kRpcs; stream += 2) {
      client.Headers(stream, RequestFields());
    }
    EXPECT_TRUE(proxy.AwaitMetric(kAwaiting, {}, kRpcs - few));
    all_wait.set_value();
    for (uint32_t stream = 1; stream < 2 * kRpcs; stream += 2) {
      EXPECT_TRUE(client.AwaitOver(stream));
      EXPECT_EQ(client[stream].status(), "0");
    }
  }
}

// ---- MAX_HEADER_LIST_SIZE and the rest of SETTINGS

TEST_P(DutiesStartTest, HeadersThatTheUpstreamDoesNotTakeFailThatRpcAlone) {
  ScriptedUpstream upstream([](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener, Setting(kMaxHeaderListSize, 1000));
    peer.Serve([&](uint32_t stream) {
      EXPECT_EQ(peer[stream].Value("x-large"), "");
      peer.Answer(stream, "fine");
    });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  client.Ask(1, "x");
  client.Ask(3, "x", {{"x-large", std::string(1000, 'v')}});
  client.Ask(5, "x", {{"x-small", std::string(100, 'v')}});
  for (const uint32_t stream : {1, 3, 5}) {
    EXPECT_TRUE(client.AwaitOver(stream));
    EXPECT_EQ(client[stream].status(), stream == 3 ? "8" : "0") << stream;
  }
  EXPECT_THAT(client[3].Value("grpc-message"), StartsWith("lanekeeper: "));
}

TEST_P(DutiesStartTest, SettingsAreAcknowledgedAtOnceAndPushIsOff) {
  std::promise<void> checked;
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener, Setting(kMaxConcurrentStreams, 100));
    EXPECT_TRUE(peer.Await([&] { return peer.settings_acknowledged() == 1; }));
    EXPECT_EQ(peer.setting(kEnablePush), 0u);
    checked.set_value();
    peer.Serve([&](uint32_t stream) { peer.Answer(stream, "x"); });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy, Setting(kInitialWindowSize, 70000));
  EXPECT_TRUE(client.Await([&] { return client.settings_acknowledged() == 1; }));
  client.Ask(1, "x");
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].status(), "0");
  EXPECT_EQ(checked.get_future().wait_for(std::chrono::seconds(0)), std::future_status::ready);
}

}  // namespace
}  // namespace lanekeeper::testing

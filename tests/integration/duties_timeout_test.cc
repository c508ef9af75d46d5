// grpc-timeout: read as gRPC writes it, passed on as it came, and kept when nobody else does.
#include <gmock/gmock.h>

#include <chrono>
#include <map>

#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"

namespace lanekeeper::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;
using ::testing::StartsWith;

class DutiesTimeoutTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(DutiesTimeoutTest);

// The longest timeouts are more nanoseconds than 64 bits hold.
using Seconds = std::chrono::duration<double>;
Seconds Parsed(const std::string& text) {
  const std::map<char, Seconds> units = {
      {'H', std::chrono::hours(1)},        {'M', std::chrono::minutes(1)},
      {'S', std::chrono::seconds(1)},      {'m', milliseconds(1)},
      {'u', std::chrono::microseconds(1)}, {'n', nanoseconds(1)}};
  return static_cast<double>(std::stoll(text)) * units.at(text.back());
}

void AskWithin(RawPeer& client, uint32_t stream, const std::string& timeout) {
  client.Ask(stream, "x", {{"grpc-timeout", timeout}});
}

TEST_P(DutiesTimeoutTest, AMalformedTimeoutIsInternal) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  uint32_t stream = 1;
  for (const char* timeout : {"soon", "100", "123456789S", "1s", "-1S", "+1S", "", "S", " 1S",
                              "1 S", "1.5S", "0x1S", "1SS"}) {
    AskWithin(client, stream, timeout);
    ASSERT_TRUE(client.AwaitOver(stream)) << timeout;
    EXPECT_EQ(client[stream].status(), "13") << timeout;
    EXPECT_THAT(client[stream].Value("grpc-message"), StartsWith("lanekeeper: ")) << timeout;
    stream += 2;
  }
  EXPECT_EQ(upstream.calls(), 0);
  AskWithin(client, stream, "10S");
  EXPECT_TRUE(client.AwaitOver(stream));
  EXPECT_EQ(client[stream].status(), "0");
}

// Nothing is rewritten that left at once: 1 ms is little for a busy machine, so each may try often.
TEST_P(DutiesTimeoutTest, TheSameBytesGoOn) {
  constexpr uint32_t kTries = 200;
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    peer.Serve([&](uint32_t stream) {
      peer.Respond(stream);
      peer.Headers(stream, {{"grpc-status", "0"}, {"x-seen", peer[stream].Value("grpc-timeout")}},
                   kEndStream);
    });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  uint32_t stream = 1;
  for (const std::string timeout :
       {"2H", "100M", "5000S", "500000m", "99999999u", "99999999H", "00000010S", "99999999n"}) {
    bool same = false;
    for (uint32_t i = 0; i < kTries && !same; ++i, stream += 2) {
      AskWithin(client, stream, timeout);
      ASSERT_TRUE(client.AwaitOver(stream));
      if (client[stream].status() == "4") continue;
      const std::string left = client[stream].Value("x-seen");
      ASSERT_FALSE(left.empty());
      EXPECT_LE(Parsed(left), Parsed(timeout)) << left;
      same = left == timeout;
    }
    EXPECT_TRUE(same) << timeout;
  }
}

TEST_P(DutiesTimeoutTest, NoTimeoutStaysNone) {
  FakeUpstream upstream([](UpstreamCall& call) {
    EXPECT_GT(call.TimeLeft(), std::chrono::hours(24));
    Echo(call);
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  client.Ask(1, "x");
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].status(), "0");
}

TEST_P(DutiesTimeoutTest, WaitingForAStreamIsTakenFromTheTimeout) {
  constexpr milliseconds kWaits(50);
  std::string seen;
  {
    ScriptedUpstream upstream([&](const RawListener& listener) {
      RawPeer peer = RawPeer::Accept(listener, Setting(kMaxConcurrentStreams, 1));
      peer.Serve([&](uint32_t stream) {
        seen = peer[stream].Value("grpc-timeout");
        peer.Answer(stream, "response");
      });
    });
    ProxyHarness proxy(GetParam(), upstream.address());
    RawPeer client = RawPeer::Dial(proxy);
    client.Headers(1, RequestFields());
    ASSERT_TRUE(Eventually([&] { return proxy.app().registry().open() == 1; }));
    const auto asked = steady_clock::now();
    AskWithin(client, 3, "60000m");
    ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_streams_awaiting_upstream", {}, 1));
    ASSERT_TRUE(Eventually([&] { return steady_clock::now() - asked > kWaits; }));
    client.Data(1, Framed("x"), kEndStream);
    EXPECT_TRUE(client.AwaitOver(3));
    EXPECT_EQ(client[3].status(), "0");
  }
  ASSERT_FALSE(seen.empty());
  // It was read a moment after it was asked for.
  EXPECT_LE(Parsed(seen), milliseconds(60000) - kWaits / 2) << seen;
  EXPECT_GT(Parsed(seen), nanoseconds(0)) << seen;
}

// 0 is a deadline that has passed, not the absence of one.
TEST_P(DutiesTimeoutTest, ATimeoutOfNothingIsExceededAtOnce) {
  std::map<uint32_t, RawPeer::Stream> seen;
  {
    ScriptedUpstream upstream([&](const RawListener& listener) {
      RawPeer peer = RawPeer::Accept(listener);
      peer.AwaitClosed();
      seen = peer.streams();
    });
    ProxyHarness proxy(GetParam(), upstream.address());
    RawPeer client = RawPeer::Dial(proxy);
    uint32_t stream = 1;
    for (const char* timeout : {"0n", "0m", "0S", "00000000H", "1n", "1u"}) {
      client.Headers(stream, RequestFields({{"grpc-timeout", timeout}}));
      ASSERT_TRUE(client.AwaitOver(stream)) << timeout;
      EXPECT_EQ(client[stream].status(), "4") << timeout;
      EXPECT_EQ(client[stream].blocks.size(), 1u) << timeout;
      EXPECT_EQ(client[stream].Value("grpc-message"), "Deadline Exceeded");
      stream += 2;
    }
    EXPECT_TRUE(
        proxy.AwaitMetric("lanekeeper_streams_terminated_total", {{"cause", "deadline"}}, 6));
  }
  for (const auto& [id, stream] : seen) {
    if (stream.blocks.empty()) continue;
    EXPECT_FALSE(stream.ended) << id;
    EXPECT_EQ(stream.reset, kCancel) << id;
  }
}

TEST_P(DutiesTimeoutTest, ASilentUpstreamIsCancelledAtTheDeadline) {
  RawPeer::Stream seen;
  {
    ScriptedUpstream upstream([&](const RawListener& listener) {
      RawPeer peer = RawPeer::Accept(listener);
      EXPECT_TRUE(peer.Await([&] { return peer[1].reset.has_value(); }));
      seen = peer[1];
      peer.AwaitClosed();
    });
    ProxyHarness proxy(GetParam(), upstream.address());
    RawPeer client = RawPeer::Dial(proxy);
    AskWithin(client, 1, "200m");
    EXPECT_TRUE(client.AwaitOver(1));
    EXPECT_EQ(client[1].status(), "4");
    EXPECT_EQ(client[1].blocks.size(), 1u);
    EXPECT_TRUE(client[1].ended);
    EXPECT_TRUE(
        proxy.AwaitMetric("grpc_server_handled_total", {{"grpc_code", "DeadlineExceeded"}}, 1));
  }
  EXPECT_EQ(seen.data, Framed("x"));
  EXPECT_EQ(seen.reset, kCancel);
}

TEST_P(DutiesTimeoutTest, ADeadlineAfterTheHeadersEndsInTrailers) {
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    if (!peer.AwaitOver(1)) return;
    peer.Respond(1);
    peer.Data(1, Framed("early"));
    EXPECT_TRUE(peer.Await([&] { return peer[1].reset.has_value(); }));
    EXPECT_EQ(peer[1].reset, kCancel);
    peer.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  AskWithin(client, 1, "500m");
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].data, Framed("early"));
  EXPECT_EQ(client[1].blocks.size(), 2u);
  EXPECT_EQ(client[1].status(), "4");
}

// Whoever takes nothing cannot be told in trailers that wait behind what it does not take.
TEST_P(DutiesTimeoutTest, ADeadlineEndsAnRpcWhoseClientTakesNothing) {
  FakeUpstream upstream([](UpstreamCall& call) {
    while (call.Write(std::string(100000, 'x'))) {
    }
    EXPECT_TRUE(call.AwaitCancelled());
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  client.Hold(1);
  AskWithin(client, 1, "500m");
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_TRUE(client[1].reset || client[1].status() == "4");
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_terminated_total", {{"cause", "deadline"}}, 1));
}

}  // namespace
}  // namespace lanekeeper::testing

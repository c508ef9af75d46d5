// Flow control (RFC 9113 sections 5.2 and 6.9): what one stream does with its windows is felt by no
// other, and no credit is ever lost.
#include <gmock/gmock.h>

#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"

namespace lanekeeper::testing {
namespace {

class DutiesWindowTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(DutiesWindowTest);

// ---- WINDOW_UPDATE that cannot be: an error of the stream, not of the connection

TEST_P(DutiesWindowTest, AnUpdateOfNothingFromTheUpstreamEndsThatStreamAlone) {
  ScriptedUpstream upstream([](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    if (!peer.AwaitHeaders(3)) return;
    peer.Respond(1);
    peer.Respond(3);
    peer.Update(1, 0);
    EXPECT_TRUE(peer.AwaitOver(1));
    EXPECT_EQ(peer[1].reset, kProtocolError);
    peer.Data(3, Framed("beside"));
    peer.Finish(3);
    peer.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  for (const uint32_t stream : {1, 3}) client.Headers(stream, RequestFields());
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_NE(client[1].status(), "0");
  EXPECT_TRUE(client.AwaitOver(3));
  EXPECT_EQ(client[3].data, Framed("beside"));
  EXPECT_EQ(client[3].status(), "0");
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_connections"), 1);
}

TEST_P(DutiesWindowTest, AnUpdateOfNothingFromAClientEndsThatStreamAlone) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  for (const uint32_t stream : {1, 3}) {
    client.Headers(stream, RequestFields());
    client.Data(stream, Framed("x"));
    ASSERT_TRUE(client.AwaitData(stream, Framed("x").size()));
  }
  client.Update(1, 0);
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].reset, kProtocolError);
  client.Data(3, Framed("y"), kEndStream);
  EXPECT_TRUE(client.AwaitOver(3));
  EXPECT_EQ(client[3].data, Framed("x") + Framed("y"));
  EXPECT_EQ(client[3].status(), "0");
}

TEST_P(DutiesWindowTest, AWindowBeyondTheLargestEndsThatStreamAlone) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  for (const uint32_t stream : {1, 3}) {
    client.Headers(stream, RequestFields());
    client.Data(stream, Framed("x"));
    ASSERT_TRUE(client.AwaitData(stream, Framed("x").size()));
  }
  client.Update(1, kLargestWindow);
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].reset, kFlowControlError);
  client.Data(3, "", kEndStream);
  EXPECT_TRUE(client.AwaitOver(3));
  EXPECT_EQ(client[3].status(), "0");
}

TEST_P(DutiesWindowTest, AConnectionsWindowThatCannotBeEndsThatConnectionAlone) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall neighbour(proxy.channel());
  neighbour.Start();
  for (const auto& [credit, code] :
       {std::pair(0u, kProtocolError), std::pair(kLargestWindow, kFlowControlError)}) {
    RawPeer client = RawPeer::Dial(proxy);
    client.Headers(1, RequestFields());
    client.Update(0, credit);
    EXPECT_TRUE(client.AwaitClosed());
    ASSERT_FALSE(client.goaways().empty());
    EXPECT_EQ(client.goaways().back().Word(4), code);
    ASSERT_TRUE(neighbour.Write("x"));
    EXPECT_EQ(neighbour.Read(), "x");
  }
  EXPECT_TRUE(neighbour.End().ok());
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_connections"), 1);
}

TEST_P(DutiesWindowTest, OneByteAboveTheUpstreamsLargestWindowEndsThatConnection) {
  ScriptedUpstream upstream([](const RawListener& listener) {
    {
      RawPeer peer = RawPeer::Accept(listener);
      peer.Update(0, kLargestWindow - kFirstWindow);
      if (!peer.AwaitHeaders(1)) return;
      peer.Update(0, 1);
      EXPECT_TRUE(peer.AwaitClosed());
      EXPECT_FALSE(peer.goaways().empty());
      if (!peer.goaways().empty()) {
        EXPECT_EQ(peer.goaways().back().Word(4), kFlowControlError);
      }
    }
    RawPeer fresh = RawPeer::Accept(listener);
    fresh.Serve([&](uint32_t stream) { fresh.Answer(stream, "from a new connection"); });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  client.Headers(1, RequestFields());
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].status(), "14");
  EXPECT_TRUE(
      Eventually([&] { return Unary(proxy.channel(), "x").response == "from a new connection"; }));
}

// ---- windows of every size

TEST_P(DutiesWindowTest, TheLargestWindowsServeBothWays) {
  const std::string settings = Setting(kInitialWindowSize, kLargestWindow);
  const std::string bytes = Framed(std::string(16 << 20, 'x'));
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener, settings);
    peer.Update(0, kLargestWindow - kFirstWindow);
    peer.Hold(1);
    EXPECT_TRUE(peer.AwaitOver(1));
    EXPECT_TRUE(peer[1].data == bytes);
    peer.Respond(1);
    EXPECT_TRUE(peer.Data(1, bytes));
    peer.Finish(1);
    peer.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy, settings);
  client.Update(0, kLargestWindow - kFirstWindow);
  client.Hold(1);
  client.Headers(1, RequestFields());
  ASSERT_TRUE(client.Data(1, bytes, kEndStream));
  ASSERT_TRUE(client.AwaitOver(1));
  EXPECT_TRUE(client[1].data == bytes);
  EXPECT_EQ(client[1].status(), "0");
}

// RFC 9113 section 6.9.1: an empty DATA frame needs no window; and trailers are no DATA.
TEST_P(DutiesWindowTest, AHalfCloseNeedsNoWindow) {
  constexpr uint32_t kWindow = 100;
  const std::string exactly = Framed(std::string(kWindow - 5, 'x'));
  const std::string settings = Setting(kInitialWindowSize, kWindow);
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener, settings);
    for (const uint32_t stream : {1, 3}) {
      peer.Hold(stream);
      EXPECT_TRUE(peer.AwaitOver(stream));
      EXPECT_TRUE(peer[stream].ended);
      EXPECT_EQ(peer[stream].data, exactly);
      peer.Respond(stream);
      peer.Data(stream, exactly);
      if (stream == 1) {
        peer.Finish(stream);
      } else {
        peer.Data(stream, "", kEndStream);
      }
    }
    peer.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy, settings);
  for (const uint32_t stream : {1, 3}) {
    client.Hold(stream);
    client.Headers(stream, RequestFields());
    client.Data(stream, exactly);
    // On its own, when the window has certainly been spent.
    EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_stream_message_bytes_total",
                                  {{"direction", "to_upstream"}},
                                  (kWindow - 5) * (stream == 1 ? 1 : 2)));
    client.Data(stream, "", kEndStream);
    EXPECT_TRUE(client.AwaitOver(stream));
    EXPECT_TRUE(client[stream].ended);
    EXPECT_EQ(client[stream].data, exactly);
  }
  EXPECT_EQ(client[1].status(), "0");
}

// ---- empty DATA frames (RFC 9113 section 6.1)

TEST_P(DutiesWindowTest, EmptyDataHasNoEffectAndIsNotForwarded) {
  constexpr int kEmpty = 2500;  // in each of four places
  const std::string message = Framed("message");
  const auto send = [&](RawPeer& peer, uint8_t end) {
    for (const auto& part : {message.substr(0, 3), message.substr(3), message}) {
      for (int i = 0; i < kEmpty; ++i) peer.Data(1, "");
      peer.Data(1, part);
    }
    for (int i = 0; i < kEmpty; ++i) peer.Data(1, "");
    if (end != 0) peer.Data(1, "", end);
  };
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    EXPECT_TRUE(peer.AwaitOver(1));
    EXPECT_TRUE(peer[1].ended);
    EXPECT_EQ(peer[1].data, message + message);
    EXPECT_LE(peer[1].data_frames, 10);
    peer.Respond(1);
    send(peer, 0);
    peer.Finish(1);
    peer.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  client.Headers(1, RequestFields());
  send(client, kEndStream);
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].data, message + message);
  EXPECT_LE(client[1].data_frames, 10);
  EXPECT_EQ(client[1].status(), "0");
}

// Servers end connections that are pinged more often than they like, if only to measure.
TEST_P(DutiesWindowTest, ALongMessageIsNotMeasuredWithManyPings) {
  ScriptedUpstream upstream([](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    if (!peer.AwaitOver(1)) return;
    peer.Respond(1);
    EXPECT_TRUE(peer.Data(1, Framed(std::string(8 << 20, 'x'))));
    peer.Finish(1);
    EXPECT_LE(peer.pings(), 2);
    peer.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  EXPECT_EQ(Unary(proxy.channel(), "x").response.size(), size_t{8 << 20});
}

}  // namespace
}  // namespace lanekeeper::testing

// Many small messages at once: order, boundaries and flags arrive as they were sent, however they
// lie in frames and in what is read at a time.
#include <gmock/gmock.h>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"
#include "tests/support/raw_http2.h"

namespace lanekeeper::testing {
namespace {

class MessageBurstsTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(MessageBurstsTest);

// Messages of no, one and many bytes, across the ends of frames, some as compressed. Two bursts fit
// into the window that a connection begins with (RFC 9113 section 6.9.2).
struct Burst {
  Burst() {
    for (size_t i = 0; i < 48; ++i) {
      constexpr size_t kSizes[] = {0, 1, 100, 2047, 2048, 2049, 100, 0, 0, 1, 1, 1};
      const std::string message(kSizes[i % std::size(kSizes)], static_cast<char>('a' + i % 26));
      framed += i % 3 == 0 ? Flagged(message) : Framed(message);
      bytes += message.size();
      ++messages;
    }
  }

  std::string framed;
  double bytes = 0;
  double messages = 0;
};

void SendInFrames(const RawHttp2& peer, uint32_t stream, const std::string& data, uint8_t flags) {
  constexpr size_t kFrameBytes = 16384;
  for (size_t from = 0; from < data.size(); from += kFrameBytes) {
    const bool last = from + kFrameBytes >= data.size();
    peer.Send(kData, last ? flags : 0, stream, data.substr(from, kFrameBytes));
  }
}

void SendAnswerHeaders(const RawHttp2& peer, uint32_t stream) {
  peer.Send(kHeaders, kEndHeaders, stream,
            Literals({{":status", "200"},
                      {"content-type", "application/grpc"},
                      {"grpc-encoding", "x-of-our-own"}}));
}

void SendTrailers(const RawHttp2& peer, uint32_t stream) {
  peer.Send(kHeaders, kEndHeaders | kEndStream, stream, Literals({{"grpc-status", "0"}}));
}

TEST_P(MessageBurstsTest, ABurstArrivesByteForByteInBothDirections) {
  const Burst burst;
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawHttp2 peer = RawHttp2::Accepted(listener.Accept());
    for (const uint32_t stream : {1, 3}) {
      EXPECT_TRUE(ReadStream(peer, stream, burst.framed.size()).data == burst.framed) << stream;
      SendAnswerHeaders(peer, stream);
      SendInFrames(peer, stream, burst.framed, 0);
      SendTrailers(peer, stream);
    }
    ReadUntilClosed(std::move(peer));
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  {
    RawHttp2 raw = RawHttp2::Dial(proxy.app().listener().ports().front());
    for (const uint32_t stream : {1, 3}) {
      raw.SendRequest(stream, kMethod, {{"grpc-encoding", "x-of-our-own"}});
      // Once with the half-close behind it, once with the stream open.
      SendInFrames(raw, stream, burst.framed, stream == 1 ? kEndStream : 0);
      EXPECT_TRUE(ReadStream(raw, stream, burst.framed.size()).data == burst.framed) << stream;
      EXPECT_TRUE(raw.ReadUntilEnd(stream).has_value());
    }
  }
  for (const char* direction : {"to_upstream", "to_downstream"}) {
    EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_stream_messages_total", {{"direction", direction}},
                                  2 * burst.messages));
    EXPECT_EQ(proxy.Metric("lanekeeper_stream_message_bytes_total", {{"direction", direction}}),
              2 * burst.bytes);
  }
}

TEST_P(MessageBurstsTest, ABurstThatTheUpstreamHadNotSeenIsSentAgainAsItWas) {
  const Burst burst;
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawHttp2 old = RawHttp2::Accepted(listener.Accept());
    ReadStream(old, 1, burst.framed.size());
    old.Send(kGoAway, 0, 0, std::string(8, '\0'));
    RawHttp2 fresh = RawHttp2::Accepted(listener.Accept());
    EXPECT_TRUE(ReadStream(fresh, 1, burst.framed.size()).data == burst.framed);
    SendAnswerHeaders(fresh, 1);
    SendTrailers(fresh, 1);
    ReadUntilClosed(std::move(fresh));
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  {
    RawHttp2 raw = RawHttp2::Dial(proxy.app().listener().ports().front());
    raw.SendRequest(1, kMethod, {{"grpc-encoding", "x-of-our-own"}});
    SendInFrames(raw, 1, burst.framed, 0);
    EXPECT_TRUE(raw.ReadUntilEnd(1).has_value());
  }
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_retries_total"), 1);
  EXPECT_EQ(proxy.Metric("lanekeeper_stream_messages_total", {{"direction", "to_upstream"}}),
            burst.messages);
}

// In one frame with it.
TEST_P(MessageBurstsTest, SmallMessagesInFrontOfOneThatIsTooLargeArrive) {
  std::string small;
  for (int i = 0; i < 10; ++i) small += Framed("small");
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawHttp2 peer = RawHttp2::Accepted(listener.Accept());
    ReadStream(peer, 1, 0);
    SendAnswerHeaders(peer, 1);
    peer.Send(kData, 0, 1, small + Framed(std::string(1001, 'x')) + Framed("behind it"));
    ReadUntilClosed(std::move(peer));
  });
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.limits.message_size_bytes = 1000; });
  {
    RawHttp2 raw = RawHttp2::Dial(proxy.app().listener().ports().front());
    raw.SendRequest(1, kMethod, {});
    EXPECT_EQ(ReadStream(raw, 1, small.size()).data, small);
    const std::optional<Frame> end = raw.ReadUntilEnd(1);
    ASSERT_TRUE(end.has_value());
    EXPECT_THAT(end->fields,
                ::testing::Contains(::testing::Pair(
                    "grpc-message", ::testing::HasSubstr("message of 1001 bytes exceeds"))));
  }
}

// Its first message has left: the rest must not be forgotten.
TEST_P(MessageBurstsTest, ABurstThatIsTakenOnlyInPartIsSeenWaiting) {
  FakeUpstream upstream([](UpstreamCall& call) { call.AwaitCancelled(); }, 0,
                        [](grpc::ServerBuilder& builder) {
                          builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 16);
                          builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
                        });
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.stuck.after = std::chrono::milliseconds(300); });
  RawHttp2 raw = RawHttp2::Dial(proxy.app().listener().ports().front());
  raw.SendRequest(1, kMethod, {});
  raw.Send(kData, 0, 1, Framed("x") + Framed(std::string(1000, 'y')) + Framed("last"));
  const MetricLabels as_slow = {{"direction", "to_upstream"}, {"kind", "slow_receiver"}};
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_stuck", as_slow, 1));
  const StreamPage page = proxy.app().control().ListStreams({}, 0, 100);
  ASSERT_EQ(page.streams.size(), 1u);
  EXPECT_EQ(page.streams[0].to_upstream.state, LaneState::kSending);
  EXPECT_EQ(page.streams[0].to_upstream.waiting_for, WaitingFor::kReceiver);
}

}  // namespace
}  // namespace lanekeeper::testing

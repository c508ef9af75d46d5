// Every byte arrives however it was cut into frames, and before what came behind it.
#include <gmock/gmock.h>

#include "tests/integration/raw_peer.h"

namespace lanekeeper::testing {
namespace {

class DutiesBytesTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(DutiesBytesTest);

std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i % 23);
  return bytes;
}

// Messages of 1 KiB with their prefixes, and a last one that makes up the sum.
std::string RunOf(size_t sum) {
  std::string run;
  while (run.size() + 2048 <= sum) run += Framed(Pattern(1019));
  return run + Framed(Pattern(sum - run.size() - 5));
}

// Answers with the bytes of the request: trailers in the segment of the last bytes, or, for every
// other stream, in one of their own.
void Mirror(const RawListener& listener) {
  RawPeer peer = RawPeer::Accept(listener);
  peer.Serve([&](uint32_t stream) {
    const std::string data = peer[stream].data;
    peer.Respond(stream);
    if (stream % 4 == 1) {
      peer.Data(stream, data);
      peer.Finish(stream);
    } else {
      const size_t tail =
          data.size() % kLargestFrame == 0 ? kLargestFrame : data.size() % kLargestFrame;
      peer.Data(stream, data.substr(0, data.size() - tail));
      peer.SendBytes(
          FrameBytes(kData, 0, stream, data.substr(data.size() - tail)) +
          FrameBytes(kHeaders, kEndHeaders | kEndStream, stream, Literals({{"grpc-status", "0"}})));
    }
  });
}

void ExpectMirrored(RawPeer& client, uint32_t stream, const std::string& bytes) {
  client.Headers(stream, RequestFields());
  ASSERT_TRUE(client.Data(stream, bytes, kEndStream));
  ASSERT_TRUE(client.AwaitOver(stream)) << bytes.size();
  EXPECT_TRUE(client[stream].data == bytes) << bytes.size();
  EXPECT_EQ(client[stream].status(), "0") << bytes.size();
}

TEST_P(DutiesBytesTest, FramesThatEndAtTheLargestSizeLoseNothing) {
  ScriptedUpstream upstream(Mirror);
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  uint32_t stream = 1;
  for (size_t size = kLargestFrame - 10; size <= kLargestFrame + 10; ++size) {
    for (int both_answers = 0; both_answers < 2; ++both_answers, stream += 2) {
      ExpectMirrored(client, stream, Framed(Pattern(size - 5)));
    }
  }
}

TEST_P(DutiesBytesTest, RunsOfMessagesThatEndAtTheLargestFrameLoseNothing) {
  ScriptedUpstream upstream(Mirror);
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  uint32_t stream = 1;
  for (const size_t sum : {kLargestFrame - 1, kLargestFrame, kLargestFrame + 1}) {
    for (int both_answers = 0; both_answers < 2; ++both_answers, stream += 2) {
      ExpectMirrored(client, stream, RunOf(sum));
    }
  }
}

TEST_P(DutiesBytesTest, EveryByteMayComeInAFrameOfItsOwn) {
  ScriptedUpstream upstream(Mirror);
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  const std::string bytes = Framed(Pattern(40)) + Framed("") + Framed(Pattern(300));
  client.Headers(1, RequestFields());
  for (const char byte : bytes) ASSERT_TRUE(client.Data(1, {byte}));
  client.Data(1, "", kEndStream);
  ASSERT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].data, bytes);
  EXPECT_EQ(client[1].status(), "0");
}

// RST_STREAM(NO_ERROR) says that no more of the request is wanted, not that the answer is void.
TEST_P(DutiesBytesTest, ALongTailOutlivesTheResetBehindIt) {
  const std::string tail = Framed(Pattern(4 << 20));
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    if (!peer.AwaitHeaders(1)) return;
    peer.Respond(1);
    EXPECT_TRUE(peer.Data(1, tail));
    peer.SendBytes(
        FrameBytes(kHeaders, kEndHeaders | kEndStream, 1, Literals({{"grpc-status", "0"}})) +
        FrameBytes(kRstStream, 0, 1, Word(kNoError)));
    peer.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  client.Hold(1);
  client.Headers(1, RequestFields());
  ASSERT_TRUE(client.AwaitData(1, kFirstWindow));
  // It reads no further until lanekeeper waits for it.
  ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_stream_ops_in_flight",
                                {{"direction", "to_downstream"}, {"op", "send"}}, 1));
  client.Release(1);
  ASSERT_TRUE(client.AwaitOver(1));
  EXPECT_TRUE(client[1].data == tail) << client[1].data.size();
  EXPECT_TRUE(client[1].ended);
  EXPECT_EQ(client[1].status(), "0");
  EXPECT_TRUE(client.Await([&] { return client[1].reset.has_value(); }));
  EXPECT_EQ(client[1].reset, kNoError);
}

// However a message and a cancel race, no half-close goes upstream without the message.
TEST_P(DutiesBytesTest, ACancelInTheSegmentOfTheMessageIsNoHalfClose) {
  constexpr int kConnections = 20;
  constexpr uint32_t kStreams = 50;
  std::map<uint32_t, RawPeer::Stream> seen;
  {
    ScriptedUpstream upstream([&](const RawListener& listener) {
      RawPeer peer = RawPeer::Accept(listener);
      peer.AwaitClosed(std::chrono::seconds(100));
      seen = peer.streams();
    });
    ProxyHarness proxy(GetParam(), upstream.address());
    const std::string request = Literals(RequestFields());
    for (int i = 0; i < kConnections; ++i) {
      RawPeer client = RawPeer::Dial(proxy);
      for (uint32_t stream = 1; stream < 2 * kStreams; stream += 2) {
        client.SendBytes(FrameBytes(kHeaders, kEndHeaders, stream, request) +
                         FrameBytes(kData, kEndStream, stream, Framed("message")) +
                         FrameBytes(kRstStream, 0, stream, Word(kCancel)));
      }
      // The last one is not cancelled, and shows that all before it have been looked at.
      client.Send(kHeaders, kEndHeaders | kEndStream, 2 * kStreams + 1,
                  Literals(With(RequestFields(), "content-type", "text/plain")));
      EXPECT_TRUE(client.AwaitHeaders(2 * kStreams + 1));
    }
    EXPECT_TRUE(Eventually([&] { return proxy.app().registry().open() == 0; }));
  }
  for (const auto& [id, stream] : seen) {
    if (stream.ended) {
      EXPECT_EQ(stream.data, Framed("message")) << id;
    }
    if (!stream.blocks.empty()) {
      EXPECT_TRUE(stream.reset) << id;
    }
  }
}

}  // namespace
}  // namespace lanekeeper::testing

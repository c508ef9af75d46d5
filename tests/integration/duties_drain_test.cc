// What a client sees of a lanekeeper that goes: two GOAWAYs with a PING between them, and all of
// what it has begun.
#include <gmock/gmock.h>

#include <future>

#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"

namespace lanekeeper::testing {
namespace {

class DutiesDrainTest : public BothKinds {
 protected:
  DutiesDrainTest()
      : upstream_(Echo),
        proxy_(GetParam(), upstream_.address(),
               [](Config& config) { config.drain.timeout = kPatience; }),
        client_(RawPeer::Dial(proxy_)) {}

  // An open stream of a client, and a lanekeeper that begins to drain.
  void Drain() {
    client_.Headers(1, RequestFields());
    client_.Data(1, Framed("before"));
    ASSERT_TRUE(client_.AwaitData(1, Framed("before").size()));
    drained_ = std::async(std::launch::async, [&] { return proxy_.app().Drain(); });
  }

  // What comes before it is skipped.
  Frame AwaitPing() {
    std::optional<Frame> frame = client_.http2().ReadAny();
    while (frame && frame->type != kPing) frame = client_.http2().ReadAny();
    return frame.value_or(Frame{});
  }

  // The open stream goes on and ends well.
  void ExpectOpenStreamWhole() {
    client_.Data(1, Framed("during"), kEndStream);
    EXPECT_TRUE(client_.AwaitOver(1));
    EXPECT_EQ(client_[1].data, Framed("before") + Framed("during"));
    EXPECT_EQ(client_[1].status(), "0");
    EXPECT_EQ(drained_.get(), 0u);
    EXPECT_TRUE(client_.AwaitClosed());
  }

  FakeUpstream upstream_;
  ProxyHarness proxy_;
  RawPeer client_;
  std::future<size_t> drained_;
};
LANEKEEPER_BOTH_KINDS(DutiesDrainTest);

TEST_P(DutiesDrainTest, TheLastIdFollowsWhenTheClientHasHeardOfIt) {
  Drain();
  EXPECT_TRUE(client_.Await([&] { return client_.goaways().size() == 2; }));
  ASSERT_EQ(client_.goaways().size(), 2u);
  EXPECT_EQ(client_.goaways()[0].Word(0), kLargestWindow);
  EXPECT_EQ(client_.goaways()[1].Word(0), 1u);
  EXPECT_GE(client_.pings(), 1);
  for (const Frame& goaway : client_.goaways()) EXPECT_EQ(goaway.Word(4), kNoError);
  ExpectOpenStreamWhole();
}

// It comes in one read with the acknowledgement: the GOAWAY says that it was not run, so it is not.
TEST_P(DutiesDrainTest, ARequestAboveTheLastIdIsNotRun) {
  Drain();
  client_.SendBytes(FrameBytes(kPing, kAck, 0, AwaitPing().payload) +
                    FrameBytes(kHeaders, kEndHeaders, 3, Literals(RequestFields())) +
                    FrameBytes(kData, kEndStream, 3, Framed("late")));
  EXPECT_TRUE(client_.Await(
      [&] { return !client_.goaways().empty() && client_.goaways().back().Word(0) == 1; }));
  ExpectOpenStreamWhole();
  EXPECT_TRUE(client_[3].blocks.empty());
  EXPECT_EQ(upstream_.calls(), 1);
  EXPECT_EQ(proxy_.Metric("grpc_server_started_total"), 1);
}

// Skipped, but decoded: it counts for the compression of the rest (RFC 9113 section 4.3).
TEST_P(DutiesDrainTest, ALongBlockBehindTheLastGoawayHarmsNothing) {
  Drain();
  EXPECT_TRUE(client_.Await([&] { return client_.goaways().size() == 2; }));
  client_.Headers(3, RequestFields({{"x-long", std::string(20000, 'v')}}));
  ExpectOpenStreamWhole();
}

// One that has not heard yet: a request of its may be on the way, though no RPC is open.
TEST_P(DutiesDrainTest, AnIdleClientIsGivenTheTimeThatARequestMayTake) {
  client_.Ask(1, "x");
  ASSERT_TRUE(client_.AwaitOver(1));
  const auto began = std::chrono::steady_clock::now();
  drained_ = std::async(std::launch::async, [&] { return proxy_.app().Drain(); });
  while (client_.http2().ReadAny()) continue;  // and acknowledges no PING
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(300));
  EXPECT_EQ(drained_.get(), 0u);
}

}  // namespace
}  // namespace lanekeeper::testing

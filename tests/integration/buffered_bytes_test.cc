// limits.buffered_bytes: what is held stays bounded when readers stop, stage by stage, and those
// that read get all of theirs.
#include <gmock/gmock.h>

#include <algorithm>
#include <string>

#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kLimit = 1024 * 1024;
constexpr int64_t kWindow = 64 * 1024;  // of a stream, as it begins
constexpr char kHeld[] = "lanekeeper_buffered_bytes";
constexpr char kStage[] = "lanekeeper_buffered_bytes_stage";
constexpr char kStages[] = "lanekeeper_buffered_bytes_stages_total";

void SetLimit(Config& config) { config.limits.buffered_bytes = kLimit; }

// ---- the last stage

class BufferedBytesTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(BufferedBytesTest);

TEST_P(BufferedBytesTest, AtTheLimitNewRpcsAreRefusedAndOpenOnesGoOn) {
  constexpr uint32_t kStopped = 20;
  const std::string big(60'000, 'x');  // of each, all of it
  FakeUpstream upstream([&](UpstreamCall& call) {
    if (call.method() != "/s/M") return Echo(call);
    if (call.Read()) call.Write(big);
    call.Finish();
  });
  ProxyHarness proxy(GetParam(), upstream.address(), SetLimit);
  DownstreamCall neighbour(proxy.channel());
  neighbour.Start();
  ASSERT_TRUE(neighbour.Write("x"));
  ASSERT_EQ(neighbour.Read(), "x");
  RawPeer client = RawPeer::Dial(proxy, Setting(kInitialWindowSize, 0));
  for (uint32_t i = 0; i < kStopped; ++i) client.Headers(2 * i + 1, RequestFields());
  ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_streams_open", {}, kStopped + 1));
  for (uint32_t i = 0; i < kStopped; ++i) client.Data(2 * i + 1, Framed("go"), kEndStream);
  ASSERT_TRUE(proxy.AwaitMetric(kStage, {}, 3));
  ASSERT_TRUE(Eventually([&] { return proxy.Metric(kHeld) >= kStopped * 60'000.0; }));

  const grpc::Status refused = Unary(proxy.channel(), "no").status;
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("limits.buffered_bytes"));
  EXPECT_EQ(proxy.Metric("lanekeeper_rpcs_rejected_total", {{"reason", "buffered_bytes"}}), 1);
  EXPECT_EQ(proxy.Metric(kStages, {{"stage", "refuse"}}), 1);
  // No more than what the open streams' windows allow.
  EXPECT_LE(proxy.Metric(kHeld), (kStopped + 1) * static_cast<double>(kWindow) + 2 * kWindow);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(neighbour.Write(big));
    ASSERT_EQ(neighbour.Read(), big);
  }

  for (uint32_t i = 0; i < kStopped; ++i) client.Update(2 * i + 1, kFirstWindow);
  ASSERT_TRUE(client.Await([&] { return client.over() == kStopped; }));
  EXPECT_EQ(client[1].data, Framed(big));
  ASSERT_TRUE(proxy.AwaitMetric(kStage, {}, 0));
  EXPECT_EQ(Unary(proxy.channel(), "room again").response, "room again");
  EXPECT_TRUE(neighbour.End().ok());
  ASSERT_TRUE(proxy.AwaitMetric(kHeld, {}, 0));
}

// ---- the stages before it, seen by an upstream that counts its credit

class BufferStagesTest : public BothKinds {
 protected:
  BufferStagesTest()
      : proxy_(GetParam(), listener_.address(), SetLimit),
        server_(RawPeer::Accept(listener_)),
        client_(RawPeer::Dial(proxy_, Setting(kInitialWindowSize, 0))) {
    EXPECT_TRUE(server_.Await([&] { return server_.setting(kInitialWindowSize).has_value(); }));
    EXPECT_EQ(server_.window(1), kWindow);
  }

  // A stream that the upstream has answered with headers; its id is the same on both sides.
  uint32_t Open() {
    const uint32_t stream = next_;
    next_ += 2;
    client_.Headers(stream, RequestFields(), kEndStream);
    EXPECT_TRUE(server_.AwaitHeaders(stream));
    server_.Respond(stream);
    return stream;
  }

  // Streams whose reader has stopped, each with as much as its window takes.
  void Stop(int streams) {
    for (int i = 0; i < streams; ++i) {
      const uint32_t stream = Open();
      EXPECT_TRUE(server_.Data(stream, kMessage.substr(0, kWindow)));
    }
    SettleUpstream();
  }

  // Passes so many bytes to a client that reads. The first ones begin a message.
  void Pass(uint32_t stream, size_t bytes) {
    const size_t before = client_[stream].data.size();
    for (size_t passed = 0; passed < bytes;) {
      const size_t n = std::min<size_t>(bytes - passed, 16 * 1024);
      ASSERT_TRUE(server_.Data(stream, kMessage.substr(before + passed, n)));
      passed += n;
      ASSERT_TRUE(client_.AwaitData(stream, before + passed));
    }
    SettleUpstream();
  }

  // All credit that is due has come.
  void SettleUpstream() {
    const int before = server_.pings_acknowledged();
    server_.Send(kPing, 0, 0, "8 bytes.");
    EXPECT_TRUE(server_.Await([&] { return server_.pings_acknowledged() > before; }));
  }

  const std::string kMessage = Framed(std::string(4 << 20, 'x'));
  RawListener listener_;
  ProxyHarness proxy_;
  RawPeer server_;
  RawPeer client_;
  uint32_t next_ = 1;
};
LANEKEEPER_BOTH_KINDS(BufferStagesTest);

TEST_P(BufferStagesTest, WithMemoryToSpareAWindowGrows) {
  const uint32_t stream = Open();
  client_.Update(stream, kFirstWindow);
  ASSERT_NO_FATAL_FAILURE(Pass(stream, 6 * kWindow));
  EXPECT_GT(server_.window(stream), kWindow);
  EXPECT_EQ(proxy_.Metric(kStage), 0);
}

TEST_P(BufferStagesTest, FromHalfOfTheLimitOnNoWindowGrows) {
  Stop(9);
  ASSERT_TRUE(proxy_.AwaitMetric(kStage, {}, 1));
  const uint32_t stream = Open();
  client_.Update(stream, kFirstWindow);
  ASSERT_NO_FATAL_FAILURE(Pass(stream, 6 * kWindow));
  EXPECT_LE(server_.window(stream), kWindow);
  EXPECT_GT(server_.window(stream), 0);
  EXPECT_EQ(proxy_.Metric(kStages, {{"stage", "no_growth"}}), 1);
}

TEST_P(BufferStagesTest, FromThreeQuartersOnAStreamThatHoldsMuchGetsNoCredit) {
  Stop(13);
  ASSERT_TRUE(proxy_.AwaitMetric(kStage, {}, 2));
  constexpr uint32_t kFat = 1;
  client_.Hold(kFat);
  client_.Update(kFat, 40 * 1024);
  ASSERT_TRUE(client_.AwaitData(kFat, 40 * 1024));
  SettleUpstream();
  EXPECT_EQ(server_.window(kFat), 0) << "24 KiB are still held";
  // When it holds no more than 16 KiB, the credit for all others comes. They may leave in two
  // frames, and what the second one brings is too little for an update of its own.
  client_.Update(kFat, 10 * 1024);
  ASSERT_TRUE(client_.AwaitData(kFat, 50 * 1024));
  EXPECT_TRUE(server_.Await([&] { return server_.window(kFat) >= 48 * 1024; }));
  EXPECT_EQ(proxy_.Metric(kStage), 2);
}

TEST_P(BufferStagesTest, FromThreeQuartersOnAWindowThatHasGrownShrinks) {
  const uint32_t stream = Open();
  client_.Update(stream, kFirstWindow);
  ASSERT_NO_FATAL_FAILURE(Pass(stream, 6 * kWindow));
  ASSERT_GT(server_.window(stream), kWindow);
  Stop(13);
  ASSERT_TRUE(proxy_.AwaitMetric(kStage, {}, 2));
  ASSERT_NO_FATAL_FAILURE(Pass(stream, static_cast<size_t>(server_.window(stream))));
  EXPECT_LE(server_.window(stream), kWindow);
  // It goes on, by the smaller window.
  for (int i = 0; i < 8; ++i) {
    ASSERT_NO_FATAL_FAILURE(Pass(stream, kWindow / 2));
    EXPECT_LE(server_.window(stream), kWindow);
  }
  // And grows again when there is room.
  for (uint32_t stopped = stream + 2; stopped < next_; stopped += 2)
    client_.Reset(stopped, kCancel);
  ASSERT_TRUE(proxy_.AwaitMetric(kStage, {}, 0));
  ASSERT_NO_FATAL_FAILURE(Pass(stream, 6 * kWindow));
  EXPECT_GT(server_.window(stream), kWindow);
}

}  // namespace
}  // namespace lanekeeper::testing

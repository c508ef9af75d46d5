// Games with windows, small frames and waits: what can be held is bounded by the windows that were
// given, however small the pieces in which it came, and the neighbour goes on.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <vector>

#include "tests/integration/hostile.h"
#include "tests/support/fake_upstream.h"

namespace lanekeeper::testing {
namespace {

constexpr size_t kKiB = 1024;
constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kWindow = 64 * kKiB;
constexpr char kFill[] = "/s/Fill";

class HostileWindowsTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(HostileWindowsTest);

// After the handshake: who does not complete it is cut.
RawPeer DialWhole(const ProxyHarness& proxy, const std::string& settings = "") {
  RawPeer client = RawPeer::Dial(proxy, settings);
  EXPECT_TRUE(client.Await([&] { return client.settings_acknowledged() > 0; }));
  return client;
}

double Buffered(const ProxyHarness& proxy) { return proxy.Metric("lanekeeper_buffered_bytes"); }

void ExpectServed(const ProxyHarness& proxy) {
  RawPeer neighbour = RawPeer::Dial(proxy);
  neighbour.Ask(1, "neighbour");
  EXPECT_TRUE(neighbour.AwaitOver(1));
  EXPECT_EQ(neighbour[1].data, Framed("neighbour"));
}

// Answers "/s/Fill" with as much as a stream's window lets it, in frames of that many bytes, and
// all else as asked for.
void FillWindows(const RawListener& listener, size_t frame_bytes) {
  RawPeer peer = RawPeer::Accept(listener);
  std::set<uint32_t> filled;
  const auto fill = [&](uint32_t stream) {
    std::string bytes;
    for (size_t sent = 0; sent < kWindow; sent += frame_bytes) {
      bytes +=
          FrameBytes(kData, 0, stream, std::string(std::min(frame_bytes, kWindow - sent), 'x'));
    }
    peer.Respond(stream);
    peer.SendBytes(bytes);
  };
  peer.Await(
      [&] {
        std::vector<uint32_t> asked;
        for (const auto& [id, stream] : peer.streams()) {
          const bool whole = stream.ended || stream.Value(":path") == kFill;
          if (whole && !stream.reset && filled.insert(id).second) asked.push_back(id);
        }
        for (const uint32_t id : asked) {
          if (peer[id].Value(":path") == kFill)
            fill(id);
          else
            peer.Answer(id, "neighbour");
        }
        return peer.http2().closed();
      },
      std::chrono::seconds(100));
}

TEST_P(HostileWindowsTest, ReceiversWithoutAWindowHoldAWindowEach) {
  constexpr uint32_t kStreams = 200;
  ScriptedUpstream upstream(
      [](const RawListener& listener) { FillWindows(listener, kLargestFrame); });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = DialWhole(proxy, Setting(kInitialWindowSize, 0));
  for (uint32_t nth = 0; nth < kStreams; ++nth)
    client.Headers(2 * nth + 1, RequestFields({}, kFill));
  EXPECT_TRUE(Eventually([&] { return Buffered(proxy) >= kStreams * kWindow; }));
  ExpectServed(proxy);
  // A slice may keep a block that is four times as large.
  EXPECT_LE(Buffered(proxy), 4.0 * kStreams * kWindow);
  client.http2().Abort();
  EXPECT_TRUE(Eventually([&] { return Buffered(proxy) == 0; })) << Buffered(proxy);
}

// 65,536 blocks for a window would be 8 MB of memory.
TEST_P(HostileWindowsTest, SingleBytesHoldNoMoreThanTheSameBytesAtOnce) {
  constexpr uint32_t kStreams = 10;
  ScriptedUpstream upstream([](const RawListener& listener) { FillWindows(listener, 1); });
  ProxyHarness proxy(GetParam(), upstream.address());
  ExpectServed(proxy);
  const MemoryWatch memory;
  RawPeer client = DialWhole(proxy, Setting(kInitialWindowSize, 0));
  for (uint32_t nth = 0; nth < kStreams; ++nth)
    client.Headers(2 * nth + 1, RequestFields({}, kFill));
  EXPECT_TRUE(Eventually([&] { return Buffered(proxy) >= kStreams * kWindow; }));
  EXPECT_LE(Buffered(proxy), 2.0 * kStreams * kWindow);
  memory.ExpectGrownByLessThan(32 * kMiB);
  ExpectServed(proxy);
  client.http2().Abort();
}

// Their first message came apart from their headers, in a block of its own.
TEST_P(HostileWindowsTest, RpcsThatWaitForAStreamKeepTheirBytesAndNotTheBlocks) {
  constexpr uint32_t kRpcs = 200;
  ScriptedUpstream upstream([](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener, Setting(kMaxConcurrentStreams, 0));
    peer.AwaitClosed(std::chrono::seconds(100));
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_upstream_connections", {}, 1));
  RawPeer client = DialWhole(proxy);
  for (uint32_t nth = 0; nth < kRpcs; ++nth) client.Headers(2 * nth + 1, RequestFields());
  ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_streams_awaiting_upstream", {}, kRpcs));
  const std::string message = Framed(std::string(100, 'x'));
  for (uint32_t nth = 0; nth < kRpcs; ++nth) {
    ASSERT_TRUE(client.Data(2 * nth + 1, message));
    ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_stream_ops_in_flight",
                                  {{"direction", "to_upstream"}, {"op", "receive"}},
                                  kRpcs - nth - 1));
  }
  EXPECT_LE(Buffered(proxy), kRpcs * 4.0 * static_cast<double>(message.size()));
  client.http2().Abort();
}

// Each such SETTINGS walks all streams: many streams make it dear, so it must not come often.
TEST_P(HostileWindowsTest, WindowsOfManyStreamsThatAreMovedAgainAndAgainEndThatConnection) {
  constexpr uint32_t kStreams = 1000;
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  const Attack flips{"windows that move", "flood", "settings", [](uint32_t nth) {
                       return FrameBytes(kSettings, 0, 0,
                                         Setting(kInitialWindowSize, nth % 2 == 0 ? 0 : 100'000));
                     }};
  const Tally tally(proxy, "downstream", flips);
  RawPeer client = DialWhole(proxy, Setting(kInitialWindowSize, 0));
  for (uint32_t nth = 0; nth < kStreams; ++nth) client.Ask(2 * nth + 1, "x");
  ASSERT_TRUE(client.Await([&] { return client.streams().size() == kStreams; }));
  Send(client, flips, 100'000);
  EXPECT_TRUE(client.AwaitClosed());
  EXPECT_LE(client.settings_acknowledged(), 1000);
  tally.ExpectOne();
  ExpectServed(proxy);
}

}  // namespace
}  // namespace lanekeeper::testing

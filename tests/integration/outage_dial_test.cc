// Addresses that are of no use. One alone: its RPCs are told, and end as any other. The first of
// several: the next serves.
#include <gmock/gmock.h>

#include <functional>

#include "tests/integration/many_connections.h"
#include "tests/integration/raw_peer.h"

namespace lanekeeper::testing {
namespace {

using ::testing::HasSubstr;

class OutageDialTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(OutageDialTest);

constexpr std::chrono::milliseconds kDialTimeout(300);

// What an address does that connects and never serves.
using Useless = std::function<void(int fd)>;

void SayNothing(int fd) {
  RawHttp2 peer = RawHttp2::Untouched(fd);
  peer.ReadText();
}
void Close(int fd) { RawHttp2::Untouched(fd).Abort(); }
void SaySettingsAndClose(int fd) { RawHttp2::Accepted(fd); }
void SpeakHttp1(int fd) {
  const RawHttp2 peer = RawHttp2::Untouched(fd);
  peer.SendBytes("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n");
}

void Serve(int fd, int) {
  RawPeer peer(RawHttp2::Accepted(fd));
  peer.Serve([&](uint32_t stream) { peer.Answer(stream, "served"); });
}

std::string Both(const ManyConnections& first, const ManyConnections& second) {
  return "ipv4:" + first.address() + "," + second.address();
}

// Nobody listens there: only root may.
constexpr char kRefuses[] = "127.0.0.1:1";

void MayWait(Config& config) { config.upstream.wait_for_ready = true; }

// What a retry policy looks at: an answer in one block may be tried again.
TEST_P(OutageDialTest, RpcsToAnAddressThatRefusesAreUnavailableInOneBlock) {
  constexpr uint32_t kRpcs = 20;
  ProxyHarness proxy(GetParam(), kRefuses);
  RawPeer client = RawPeer::Dial(proxy);
  for (uint32_t stream = 1; stream < 2 * kRpcs; stream += 2) {
    client.Ask(stream, "x");
    ASSERT_TRUE(client.AwaitOver(stream));
    EXPECT_TRUE(client[stream].ended);
    EXPECT_EQ(client[stream].blocks.size(), 1u);
    EXPECT_EQ(client[stream].data_frames, 0);
    EXPECT_EQ(client[stream].status(), "14");
    EXPECT_THAT(client[stream].Value("grpc-message"), HasSubstr("cannot connect"));
  }
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_terminated_total", {{"cause", "upstream_lost"}},
                                kRpcs));
}

// The client keeps no time of its own.
TEST_P(OutageDialTest, ADeadlineEndsAnRpcThatWaitsForAnAddressThatRefuses) {
  ProxyHarness proxy(GetParam(), kRefuses, MayWait);
  RawPeer client = RawPeer::Dial(proxy);
  client.Ask(1, "x", {{"grpc-timeout", "200m"}});
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].status(), "4");
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_open", {}, 0));
}

TEST_P(OutageDialTest, ACancelEndsAnRpcThatWaitsForAnAddressThatRefuses) {
  ProxyHarness proxy(GetParam(), kRefuses, MayWait);
  RawPeer client = RawPeer::Dial(proxy);
  client.Ask(1, "x");
  ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_streams_awaiting_upstream", {}, 1));
  client.Reset(1, kCancel);
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_open", {}, 0));
  EXPECT_EQ(proxy.Metric("lanekeeper_streams_awaiting_upstream"), 0);
}

TEST_P(OutageDialTest, AnAddressThatClosesAtOnceLeavesTheDialToTheNextAndNoRpcFails) {
  for (const Useless useless : {Close, SpeakHttp1}) {
    ManyConnections first([&](int fd, int) { useless(fd); });
    ManyConnections second(Serve);
    ProxyHarness proxy(GetParam(), Both(first, second));
    const UnaryResult result = Unary(proxy.channel(), "x");
    EXPECT_EQ(result.response, "served") << result.status.error_message();
    EXPECT_EQ(first.dials(), 1);
  }
}

TEST_P(OutageDialTest, AnAddressThatSaysNothingLeavesTheNextDialToTheOthers) {
  for (const bool wait_for_ready : {false, true}) {
    ManyConnections first([](int fd, int) { SayNothing(fd); });
    ManyConnections second(Serve);
    ProxyHarness proxy(GetParam(), Both(first, second),
                       [&](Config& config) { config.upstream.wait_for_ready = wait_for_ready; },
                       {.dial_timeout = kDialTimeout});
    if (wait_for_ready) {
      EXPECT_EQ(Unary(proxy.channel(), "x").response, "served");
    } else {
      EXPECT_TRUE(Eventually([&] { return Unary(proxy.channel(), "x").response == "served"; }));
    }
    EXPECT_EQ(first.dials(), 1);
  }
}

TEST_P(OutageDialTest, AnAddressThatIsReadyAndClosesLeavesTheDialToTheNext) {
  ManyConnections first([](int fd, int) { SaySettingsAndClose(fd); });
  ManyConnections second(Serve);
  ProxyHarness proxy(GetParam(), Both(first, second));
  EXPECT_TRUE(Eventually([&] { return Unary(proxy.channel(), "x").response == "served"; }));
  EXPECT_EQ(first.dials(), 1);
}

// Nobody serves: then the pauses are those of one address that refuses.
TEST_P(OutageDialTest, AddressesThatAreAllUselessAreDialledWithPauses) {
  ManyConnections first([](int fd, int) { Close(fd); });
  ManyConnections second([](int fd, int) { SaySettingsAndClose(fd); });
  ProxyHarness proxy(GetParam(), Both(first, second));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  while (std::chrono::steady_clock::now() < end) {
    DownstreamCall call(proxy.channel());
    call.SetTimeout(kPatience);
    EXPECT_EQ(call.Start().End().error_code(), grpc::StatusCode::UNAVAILABLE);
  }
  EXPECT_GE(first.dials(), 1);
  EXPECT_LE(first.dials() + second.dials(), 12);
}

}  // namespace
}  // namespace lanekeeper::testing

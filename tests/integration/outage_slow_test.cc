// Upstreams that are slow, and one that comes and goes.
#include <gmock/gmock.h>

#include <future>
#include <memory>

#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"

namespace lanekeeper::testing {
namespace {

class OutageSlowTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(OutageSlowTest);

constexpr uint32_t kRpcs = 3;
// Of the 5 s that a dial may take.
constexpr std::chrono::seconds kLate{2};
constexpr char kAwaiting[] = "lanekeeper_streams_awaiting_upstream";

uint32_t Nth(uint32_t rpc) { return 2 * rpc + 1; }

// RPCs may wait for it as long as a dial may take, and none of them fails.
TEST_P(OutageSlowTest, WhoSaysSettingsLateServesAllThatWaited) {
  std::promise<void> all_wait;
  ScriptedUpstream upstream([&](const RawListener& listener) {
    const int fd = listener.Accept();
    all_wait.get_future().wait_for(kPatience);
    RawPeer peer(RawHttp2::Accepted(fd));
    peer.Serve([&](uint32_t stream) { peer.Answer(stream, "late"); });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  for (uint32_t rpc = 0; rpc < kRpcs; ++rpc) client.Ask(Nth(rpc), "waits");
  const auto since = std::chrono::steady_clock::now();
  EXPECT_TRUE(Eventually([&] {
    return proxy.Metric(kAwaiting) == kRpcs && std::chrono::steady_clock::now() - since > kLate;
  }));
  all_wait.set_value();
  for (uint32_t rpc = 0; rpc < kRpcs; ++rpc) {
    EXPECT_TRUE(client.AwaitOver(Nth(rpc)));
    EXPECT_EQ(client[Nth(rpc)].data, Framed("late"));
    EXPECT_EQ(client[Nth(rpc)].status(), "0");
  }
}

// An answer that comes byte by byte passes so, and others overtake it on the same connection.
TEST_P(OutageSlowTest, AnAnswerOfSingleBytesDelaysNobodyElse) {
  const std::string slow = Framed(std::string(100, 's'));
  const uint32_t slowly = 1;
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    if (!peer.AwaitHeaders(slowly)) return;
    peer.Respond(slowly);
    for (uint32_t byte = 0; byte < slow.size(); ++byte) {
      EXPECT_TRUE(peer.Data(slowly, slow.substr(byte, 1)));
      const uint32_t other = Nth(byte + 1);
      if (!peer.Await([&] { return peer[other].ended; })) return;
      peer.Answer(other, "quick");
    }
    peer.Finish(slowly);
    peer.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  client.Headers(slowly, RequestFields());
  for (uint32_t byte = 0; byte < slow.size(); ++byte) {
    ASSERT_TRUE(client.AwaitData(slowly, byte + 1));
    EXPECT_EQ(client[slowly].data.size(), byte + 1) << "more than was sent";
    client.Ask(Nth(byte + 1), "overtakes");
    ASSERT_TRUE(client.AwaitOver(Nth(byte + 1)));
    EXPECT_EQ(client[Nth(byte + 1)].data, Framed("quick"));
  }
  EXPECT_TRUE(client.AwaitOver(slowly));
  EXPECT_EQ(client[slowly].data, slow);
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_connections"), 1);
}

// Each time it is there it serves, without a restart; each time it is not, RPCs are told.
TEST_P(OutageSlowTest, WhoComesAndGoesServesWheneverItIsThere) {
  constexpr int kTimes = 4;
  auto upstream = std::make_unique<FakeUpstream>(Echo);
  const int port = upstream->port();
  ProxyHarness proxy(GetParam(), upstream->address());
  for (int time = 0; time < kTimes; ++time) {
    EXPECT_TRUE(Eventually([&] {
      const UnaryResult result = Unary(proxy.channel(), "x");
      EXPECT_TRUE(result.status.ok() || result.status.error_code() == grpc::StatusCode::UNAVAILABLE)
          << result.status.error_code();
      return result.response == "x";
    })) << time;
    upstream.reset();
    EXPECT_TRUE(Eventually([&] {
      return Unary(proxy.channel(), "x").status.error_code() == grpc::StatusCode::UNAVAILABLE;
    })) << time;
    upstream = std::make_unique<FakeUpstream>(Echo, port);
  }
}

}  // namespace
}  // namespace lanekeeper::testing

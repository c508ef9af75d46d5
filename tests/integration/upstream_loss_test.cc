// An upstream that is not there, goes away, or comes back.
#include <gmock/gmock.h>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

class UpstreamLossTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(UpstreamLossTest);

TEST_P(UpstreamLossTest, AnUnreachableUpstreamIsUnavailable) {
  ProxyHarness proxy(GetParam(), "127.0.0.1:1");
  for (int i = 0; i < 3; ++i) {
    const UnaryResult result = Unary(proxy.channel(), "x");
    EXPECT_EQ(result.status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_THAT(result.status.error_message(), ::testing::HasSubstr("cannot connect"));
  }
  EXPECT_TRUE(
      proxy.AwaitMetric("lanekeeper_streams_terminated_total", {{"cause", "upstream_lost"}}, 3));
}

TEST_P(UpstreamLossTest, AnUnresolvableUpstreamIsUnavailable) {
  ProxyHarness proxy(GetParam(), "dns:///no-such-host.invalid:50051");
  EXPECT_EQ(Unary(proxy.channel(), "x").status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_P(UpstreamLossTest, AnUpstreamThatComesBackIsUsedAgain) {
  auto upstream = std::make_unique<FakeUpstream>(Echo);
  const int port = upstream->port();
  ProxyHarness proxy(GetParam(), upstream->address());
  EXPECT_EQ(Unary(proxy.channel(), "x").response, "x");
  upstream.reset();
  EXPECT_TRUE(Eventually([&] {
    return Unary(proxy.channel(), "x").status.error_code() == grpc::StatusCode::UNAVAILABLE;
  }));
  upstream = std::make_unique<FakeUpstream>(Echo, port);
  EXPECT_TRUE(Eventually([&] { return Unary(proxy.channel(), "x").response == "x"; }));
}

TEST_P(UpstreamLossTest, AStreamOverALostConnectionEnds) {
  FakeUpstream upstream(Echo);
  // Something between the two that can be cut: a second lanekeeper that is told to end at once.
  auto middle = std::make_unique<ProxyHarness>(GetParam(), upstream.address(), [](Config& config) {
    config.drain.timeout = std::chrono::milliseconds(0);
  });
  ProxyHarness proxy(GetParam(), middle->address());
  DownstreamCall call(proxy.channel());
  call.Start();
  ASSERT_TRUE(call.Write("x"));
  ASSERT_EQ(call.Read(), "x");
  middle->app().Drain();
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(Eventually([&] { return proxy.app().registry().open() == 0; }));
  EXPECT_TRUE(Eventually([&] { return middle->app().registry().open() == 0; }));
}

}  // namespace
}  // namespace lanekeeper::testing

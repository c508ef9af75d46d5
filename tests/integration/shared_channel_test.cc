// All downstream connections and all services share one upstream connection.
#include <gmock/gmock.h>

#include <thread>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

class SharedChannelTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(SharedChannelTest);

TEST_P(SharedChannelTest, ManyConnectionsShareOneUpstreamConnection) {
  constexpr int kConnections = 30;
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < kConnections; ++i) channels.push_back(proxy.NewChannel());
  std::vector<std::thread> applications;
  for (const auto& channel : channels) {
    applications.emplace_back([&channel] {
      for (int i = 0; i < 10; ++i) {
        const UnaryResult answer = Unary(channel, "x", "/service" + std::to_string(i) + ".S/M");
        EXPECT_EQ(answer.response, "x") << answer.status.error_message();
      }
    });
  }
  for (std::thread& application : applications) application.join();
  EXPECT_EQ(upstream.calls(), kConnections * 10);
  EXPECT_EQ(upstream.connections(), 1u);
  EXPECT_EQ(proxy.Metric("lanekeeper_downstream_connections"), kConnections);
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_connections"), 1);
  channels.clear();
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_downstream_connections", {}, 0));
}

TEST_P(SharedChannelTest, RpcsRunInParallelOverIt) {
  constexpr int kRpcs = 50;
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  std::vector<std::unique_ptr<DownstreamCall>> calls;
  for (int i = 0; i < kRpcs; ++i) {
    calls.push_back(std::make_unique<DownstreamCall>(proxy.channel()));
    calls.back()->Start();
    ASSERT_TRUE(calls.back()->Write(std::to_string(i)));
    ASSERT_EQ(calls.back()->Read(), std::to_string(i));
  }
  EXPECT_EQ(proxy.Metric("lanekeeper_streams_open"), kRpcs);
  for (int i = kRpcs - 1; i >= 0; --i) {
    ASSERT_TRUE(calls[static_cast<size_t>(i)]->Write("again"));
    ASSERT_EQ(calls[static_cast<size_t>(i)]->Read(), "again");
    EXPECT_TRUE(calls[static_cast<size_t>(i)]->End().ok());
  }
}

TEST_P(SharedChannelTest, TwoProxiesInOneProcessAreIndependent) {
  FakeUpstream first_upstream([](UpstreamCall& call) { call.Write("first"); });
  FakeUpstream second_upstream([](UpstreamCall& call) { call.Write("second"); });
  ProxyHarness first(GetParam(), first_upstream.address());
  ProxyHarness second(GetParam(), second_upstream.address());
  EXPECT_EQ(Unary(first.channel(), "x").response, "first");
  EXPECT_EQ(Unary(second.channel(), "x").response, "second");
  EXPECT_EQ(first.Metric("grpc_server_started_total"), 1);
  EXPECT_EQ(second.Metric("grpc_server_started_total"), 1);
  // Only all threads of the process can be checked at the end, so both end first.
  EXPECT_TRUE(Eventually(
      [&] { return first.app().registry().open() + second.app().registry().open() == 0; }));
}

}  // namespace
}  // namespace lanekeeper::testing

// Every limit refuses with RESOURCE_EXHAUSTED and leaves the neighbours alone.
#include <gmock/gmock.h>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

using ::testing::HasSubstr;

class LimitsTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(LimitsTest);

TEST_P(LimitsTest, OneRpcAboveOpenRpcsIsRefusedAtOnce) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.limits.open_rpcs = 2; });
  DownstreamCall first(proxy.channel());
  DownstreamCall second(proxy.channel());
  for (DownstreamCall* call : {&first, &second}) {
    call->Start();
    ASSERT_TRUE(call->Write("x"));
    ASSERT_EQ(call->Read(), "x");
  }
  const UnaryResult refused = Unary(proxy.channel(), "one too many");
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.status.error_message(), HasSubstr("limits.open_rpcs"));
  EXPECT_EQ(upstream.calls(), 2);
  EXPECT_EQ(proxy.Metric("lanekeeper_rpcs_rejected_total", {{"reason", "open_rpcs"}}), 1);
  EXPECT_EQ(proxy.Metric("grpc_server_handled_total", {{"grpc_code", "ResourceExhausted"}}), 1);

  EXPECT_TRUE(first.End().ok());
  ASSERT_TRUE(Eventually([&] { return proxy.app().registry().open() == 1; }));
  EXPECT_EQ(Unary(proxy.channel(), "room again").response, "room again");
  EXPECT_TRUE(second.End().ok());
}

TEST_P(LimitsTest, ManyRefusalsLeaveNothingBehind) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.limits.open_rpcs = 1; });
  DownstreamCall only(proxy.channel());
  only.Start();
  ASSERT_TRUE(only.Write("x"));
  ASSERT_EQ(only.Read(), "x");
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(Unary(proxy.channel(), "no").status.error_code(),
              grpc::StatusCode::RESOURCE_EXHAUSTED);
  }
  EXPECT_EQ(proxy.app().registry().open(), 1);
  EXPECT_TRUE(only.End().ok());
}

TEST_P(LimitsTest, ALargerRequestIsRefused) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.limits.message_size_bytes = 1000; });
  EXPECT_EQ(Unary(proxy.channel(), std::string(1000, 'x')).response.size(), 1000u);
  EXPECT_EQ(Unary(proxy.channel(), std::string(1001, 'x')).status.error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Unary(proxy.channel(), "small").response, "small");
}

TEST_P(LimitsTest, ALargerResponseIsRefused) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.Write(std::string(std::stoul(call.Read().value_or("0")), 'x'));
    call.Finish();
  });
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.limits.message_size_bytes = 1000; });
  EXPECT_EQ(Unary(proxy.channel(), "1000").response.size(), 1000u);
  EXPECT_EQ(Unary(proxy.channel(), "1001").status.error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

}  // namespace
}  // namespace lanekeeper::testing

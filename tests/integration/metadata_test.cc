// ASCII and binary metadata cross in both directions, repeated keys with all values in order.
#include <gmock/gmock.h>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MetadataTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(MetadataTest);

const std::string kBinary("\x00\x01\xfe\xff binary \n", 13);

TEST_P(MetadataTest, RequestMetadataReachesTheUpstreamUntouched) {
  FakeUpstream upstream([](UpstreamCall& call) {
    EXPECT_THAT(call.Metadata("x-text"), ElementsAre("one", "two", "one"));
    EXPECT_THAT(call.Metadata("x-data-bin"), ElementsAre(kBinary, "", kBinary));
    EXPECT_THAT(call.Metadata("authorization"), ElementsAre("Bearer a,b=c"));
    EXPECT_THAT(call.Metadata("traceparent"),
                ElementsAre("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    EXPECT_THAT(call.Metadata("grpc-previous-rpc-attempts"), ElementsAre("2"));
    EXPECT_THAT(call.Metadata("x-empty"), ElementsAre(""));
    call.Finish();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  for (const char* value : {"one", "two", "one"}) call.AddMetadata("x-text", value);
  for (const std::string& value : {kBinary, std::string(), kBinary}) {
    call.AddMetadata("x-data-bin", value);
  }
  call.AddMetadata("authorization", "Bearer a,b=c");
  call.AddMetadata("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  call.AddMetadata("grpc-previous-rpc-attempts", "2");
  call.AddMetadata("x-empty", "");
  call.Start();
  EXPECT_TRUE(call.End().ok());
  EXPECT_EQ(upstream.calls(), 1);
}

TEST_P(MetadataTest, ResponseHeadersAndTrailersReachTheDownstreamUntouched) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.SendHeaders({{"x-text", "h1"}, {"x-data-bin", kBinary}, {"x-text", "h2"}});
    call.Finish(grpc::Status::OK, {{"x-text", "t1"}, {"x-text", "t2"}, {"x-data-bin", kBinary}});
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  EXPECT_TRUE(call.End().ok());
  EXPECT_THAT(call.Header("x-text"), ElementsAre("h1", "h2"));
  EXPECT_THAT(call.Header("x-data-bin"), ElementsAre(kBinary));
  EXPECT_THAT(call.Trailer("x-text"), ElementsAre("t1", "t2"));
  EXPECT_THAT(call.Trailer("x-data-bin"), ElementsAre(kBinary));
}

TEST_P(MetadataTest, NothingIsAddedToWhatTheUpstreamSent) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.SendHeaders({{"x-only", "h"}});
    call.Finish(grpc::Status::OK, {{"x-only", "t"}});
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  EXPECT_TRUE(call.End().ok());
  EXPECT_EQ(call.context().GetServerInitialMetadata().size(), 1u);
  EXPECT_EQ(call.context().GetServerTrailingMetadata().size(), 1u);
}

TEST_P(MetadataTest, MetadataAboveTheLimitFailsThatRpcAlone) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.limits.metadata_size_bytes = 4096; });
  DownstreamCall neighbour(proxy.channel());
  neighbour.Start();
  ASSERT_TRUE(neighbour.Write("before"));
  ASSERT_EQ(neighbour.Read(), "before");

  DownstreamCall big(proxy.channel());
  big.AddMetadata("x-big", std::string(6000, 'x'));
  big.Start();
  const grpc::Status status = big.End();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("limits.metadata_size"));

  ASSERT_TRUE(neighbour.Write("after"));
  EXPECT_EQ(neighbour.Read(), "after");
  EXPECT_TRUE(neighbour.End().ok());
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_terminated_total", {{"cause", "limit"}}, 1));
}

TEST_P(MetadataTest, TrailersAboveTheLimitFailThatRpcAlone) {
  FakeUpstream upstream([](UpstreamCall& call) {
    if (call.method() != "/s/Big") return Echo(call);
    call.Finish(grpc::Status::OK, {{"x-big", std::string(20000, 'x')}});
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall neighbour(proxy.channel());
  neighbour.Start();
  ASSERT_TRUE(neighbour.Write("before"));
  ASSERT_EQ(neighbour.Read(), "before");
  DownstreamCall big(proxy.channel(), "/s/Big");
  big.Start();
  EXPECT_EQ(big.End().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  ASSERT_TRUE(neighbour.Write("after"));
  EXPECT_EQ(neighbour.Read(), "after");
  EXPECT_TRUE(neighbour.End().ok());
}

TEST_P(MetadataTest, ResponsesMayBeAllowedMoreThanRequests) {
  // One value has at most 64 KiB on the wire, in base64.
  const std::string details(40 * 1024, '\x07');
  FakeUpstream upstream([&](UpstreamCall& call) {
    call.Finish(grpc::Status::OK, {{"x-details-bin", details}});
  });
  ProxyHarness proxy(GetParam(), upstream.address(), [](Config& config) {
    config.limits.response_metadata_size_bytes = 128 * 1024;
  });
  DownstreamCall call(proxy.channel());
  call.Start();
  EXPECT_TRUE(call.End().ok());
  EXPECT_THAT(call.Trailer("x-details-bin"), ::testing::ElementsAre(details));

  DownstreamCall big(proxy.channel());
  big.AddMetadata("x-big", std::string(20000, 'x'));
  big.Start();
  EXPECT_EQ(big.End().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_P(MetadataTest, TheUserAgentOfTheApplicationGoesOn) {
  FakeUpstream upstream([](UpstreamCall& call) {
    ASSERT_EQ(call.Metadata("user-agent").size(), 1u);
    EXPECT_THAT(call.Metadata("user-agent")[0], ::testing::HasSubstr("grpc-c++"));
    Echo(call);
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  EXPECT_TRUE(Unary(proxy.channel(), "x").status.ok());
  EXPECT_EQ(upstream.calls(), 1);
}

}  // namespace
}  // namespace lanekeeper::testing

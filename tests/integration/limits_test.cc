// Every limit refuses with RESOURCE_EXHAUSTED and leaves the neighbours alone.
#include <gmock/gmock.h>

#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LimitsTest : public BothKinds {
 protected:
  // An RPC that is open, and was answered once.
  static void OpenAnswered(DownstreamCall& call) {
    call.Start();
    ASSERT_TRUE(call.Write("x"));
    ASSERT_EQ(call.Read(), "x");
  }
};
LANEKEEPER_BOTH_KINDS(LimitsTest);

TEST_P(LimitsTest, OneRpcAboveOpenRpcsIsRefusedAtOnce) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.limits.open_rpcs = 2; });
  DownstreamCall first(proxy.channel());
  DownstreamCall second(proxy.channel());
  for (DownstreamCall* call : {&first, &second}) ASSERT_NO_FATAL_FAILURE(OpenAnswered(*call));
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

TEST_P(LimitsTest, OneStreamTooManyOnAConnectionIsRefusedAndOtherConnectionsAreNot) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.limits.streams_per_connection = 2; });
  DownstreamCall first(proxy.channel());
  DownstreamCall second(proxy.channel());
  for (DownstreamCall* call : {&first, &second}) ASSERT_NO_FATAL_FAILURE(OpenAnswered(*call));
  const UnaryResult refused = Unary(proxy.channel(), "one too many");
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(refused.status.error_message(),
            "lanekeeper: limits.streams_per_connection reached (2)");
  EXPECT_EQ(proxy.Metric("lanekeeper_rpcs_rejected_total", {{"reason", "streams_per_connection"}}),
            1);
  EXPECT_EQ(Unary(proxy.NewChannel(), "another connection").response, "another connection");
  EXPECT_EQ(upstream.calls(), 3);

  EXPECT_TRUE(first.End().ok());
  ASSERT_TRUE(Eventually([&] { return proxy.app().registry().open() == 1; }));
  EXPECT_EQ(Unary(proxy.channel(), "room again").response, "room again");
  EXPECT_TRUE(second.End().ok());
}

// Clients would queue in silence.
TEST_P(LimitsTest, TheCapOfAConnectionIsNotAnnounced) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.limits.streams_per_connection = 1; });
  RawPeer client = RawPeer::Dial(proxy);
  ASSERT_TRUE(client.Await([&] { return client.setting(kMaxConcurrentStreams).has_value(); }));
  EXPECT_GE(*client.setting(kMaxConcurrentStreams), 1'000'000u);
  // A peer that sends many at once gets an answer to each.
  client.Headers(1, RequestFields());
  for (uint32_t stream = 3; stream < 200; stream += 2) client.Ask(stream, "x");
  ASSERT_TRUE(client.Await([&] { return client.over() == 99; }));
  EXPECT_EQ(client[3].status(), "8");
  EXPECT_EQ(client[199].status(), "8");
  EXPECT_FALSE(client[1].over());
  client.Data(1, Framed("x"), kEndStream);
  ASSERT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].status(), "0");
  client.Ask(201, "x");
  ASSERT_TRUE(client.AwaitOver(201));
  EXPECT_EQ(client[201].status(), "0");
}

TEST_P(LimitsTest, AnEntryOfMethodsRefusesItsOwnMethodsOnly) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address(), [](Config& config) {
    config.limits.methods = {{"/a.B/Free", 5}, {"/a.B/*", 2}};
  });
  DownstreamCall first(proxy.channel(), "/a.B/C");
  DownstreamCall second(proxy.NewChannel(), "/a.B/D");
  for (DownstreamCall* call : {&first, &second}) ASSERT_NO_FATAL_FAILURE(OpenAnswered(*call));
  const UnaryResult refused = Unary(proxy.channel(), "one too many", "/a.B/E");
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(refused.status.error_message(),
            "lanekeeper: limits.methods[1].open_rpcs reached (2 of '/a.B/*')");
  EXPECT_EQ(proxy.Metric("lanekeeper_rpcs_rejected_total", {{"reason", "methods"}}), 1);
  EXPECT_EQ(Unary(proxy.channel(), "x", "/a.B/Free").response, "x");
  EXPECT_EQ(Unary(proxy.channel(), "x", "/x.Y/Z").response, "x");
  EXPECT_EQ(upstream.calls(), 4);

  EXPECT_TRUE(first.End().ok());
  ASSERT_TRUE(Eventually([&] { return proxy.app().registry().open() == 1; }));
  EXPECT_EQ(Unary(proxy.channel(), "room again", "/a.B/E").response, "room again");
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

TEST_P(LimitsTest, LargerMetadataOfARequestIsRefused) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.limits.metadata_size_bytes = 4096; });
  DownstreamCall neighbour(proxy.channel());
  ASSERT_NO_FATAL_FAILURE(OpenAnswered(neighbour));
  DownstreamCall big(proxy.channel());
  big.AddMetadata("x-big", std::string(6000, 'x'));
  const grpc::Status status = big.Start().End();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("limits.metadata_size"));
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_terminated_total", {{"cause", "limit"}}, 1));
  ASSERT_TRUE(neighbour.Write("after"));
  EXPECT_EQ(neighbour.Read(), "after");
  EXPECT_TRUE(neighbour.End().ok());
}

TEST_P(LimitsTest, ResponsesMayBeAllowedMoreMetadataThanRequests) {
  // One value has at most 64 KiB on the wire, in base64.
  const std::string details(40 * 1024, '\x07');
  FakeUpstream upstream([&](UpstreamCall& call) {
    call.Finish(grpc::Status::OK, {{"x-details-bin", details}});
  });
  ProxyHarness proxy(GetParam(), upstream.address(), [](Config& config) {
    config.limits.response_metadata_size_bytes = 128 * 1024;
  });
  DownstreamCall call(proxy.channel());
  EXPECT_TRUE(call.Start().End().ok());
  EXPECT_THAT(call.Trailer("x-details-bin"), ElementsAre(details));

  DownstreamCall big(proxy.channel());
  big.AddMetadata("x-big", std::string(20000, 'x'));
  EXPECT_EQ(big.Start().End().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

}  // namespace
}  // namespace lanekeeper::testing

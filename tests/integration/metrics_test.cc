// Metrics count exactly, and move while a stream is open.
#include <gmock/gmock.h>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

class MetricsTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(MetricsTest);

TEST_P(MetricsTest, CountersMoveWhileTheStreamIsOpen) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel(), "/pkg.Service/Chat");
  call.Start();
  const MetricLabels method = {{"grpc_service", "pkg.Service"}, {"grpc_method", "Chat"}};
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(call.Write(std::string(10, 'x')));
    ASSERT_TRUE(call.Read().has_value());
    EXPECT_TRUE(proxy.AwaitMetric("grpc_server_msg_received_total", method, i));
    EXPECT_TRUE(proxy.AwaitMetric("grpc_server_msg_sent_total", method, i));
    for (const char* direction : {"to_upstream", "to_downstream"}) {
      EXPECT_TRUE(
          proxy.AwaitMetric("lanekeeper_stream_messages_total", {{"direction", direction}}, i));
      EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_stream_message_bytes_total",
                                    {{"direction", direction}}, 10 * i));
    }
  }
  EXPECT_EQ(proxy.Metric("grpc_server_started_total", method), 1);
  EXPECT_EQ(proxy.Metric("lanekeeper_streams_open"), 1);
  EXPECT_EQ(proxy.Metric("lanekeeper_rpc_threads", {{"state", "busy"}}), 1);
  EXPECT_TRUE(call.End().ok());
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_open", {}, 0));
  EXPECT_EQ(proxy.Metric("grpc_server_handled_total", {{"grpc_code", "OK"}}), 1);
  EXPECT_EQ(proxy.Metric("grpc_server_handling_seconds", method), 1);
}

TEST_P(MetricsTest, AnIdleStreamWaitsInBothReceivesAndInNoSend) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  for (const char* direction : {"to_upstream", "to_downstream"}) {
    const MetricLabels receive = {{"direction", direction}, {"op", "receive"}};
    const MetricLabels send = {{"direction", direction}, {"op", "send"}};
    EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_stream_ops_in_flight", send, 0));
    if (std::string(direction) == "to_upstream") {
      EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_stream_ops_in_flight", receive, 1));
    }
  }
  ASSERT_TRUE(call.Write("x"));
  ASSERT_EQ(call.Read(), "x");
  // Now the upstream's headers have come, so its messages are awaited as well.
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_stream_ops_in_flight", {{"op", "receive"}}, 2));
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_stream_ops_in_flight", {{"op", "send"}}, 0));
  EXPECT_TRUE(call.End().ok());
}

// CANCELLED and DEADLINE_EXCEEDED too: what the upstream says is not taken for what a client does.
TEST_P(MetricsTest, EachStatusOfTheUpstreamIsCountedByItsName) {
  constexpr const char* kNames[] = {
      "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
      "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
      "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
      "DataLoss", "Unauthenticated"};
  FakeUpstream upstream([](UpstreamCall& call) {
    const int code = std::stoi(call.Metadata("x-code").front());
    call.Finish({static_cast<grpc::StatusCode>(code), "upstream's own"});
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  for (size_t code = 0; code < std::size(kNames); ++code) {
    DownstreamCall call(proxy.channel());
    call.AddMetadata("x-code", std::to_string(code));
    EXPECT_EQ(call.Start().End().error_code(), static_cast<grpc::StatusCode>(code));
    EXPECT_TRUE(proxy.AwaitMetric("grpc_server_handled_total", {{"grpc_code", kNames[code]}}, 1))
        << kNames[code];
  }
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_terminated_total",
                                {{"cause", "upstream_status"}}, std::size(kNames)));
}

TEST_P(MetricsTest, MethodsBeyondTheLimitCountAsOther) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.metrics.max_methods = 2; });
  for (int i = 0; i < 10; ++i) Unary(proxy.channel(), "x", "/s/Method" + std::to_string(i));
  EXPECT_TRUE(proxy.AwaitMetric("grpc_server_started_total", {{"grpc_method", "other"}}, 8));
  EXPECT_EQ(proxy.Metric("grpc_server_started_total"), 10);
}

}  // namespace
}  // namespace lanekeeper::testing

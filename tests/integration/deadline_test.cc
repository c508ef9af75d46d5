// The downstream's deadline is the upstream's, less the time already gone.
#include <gmock/gmock.h>

#include <atomic>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

class DeadlineTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(DeadlineTest);

TEST_P(DeadlineTest, TheUpstreamSeesTheTimeThatIsLeft) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.Write(std::to_string(call.TimeLeft().count()));
    call.Finish();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.SetTimeout(std::chrono::seconds(60));
  call.Start();
  const int left_ms = std::stoi(call.Read().value_or("0"));
  EXPECT_LE(left_ms, 60000 + 100);  // grpc-timeout is rounded up
  EXPECT_GT(left_ms, 50000);
}

TEST_P(DeadlineTest, NoDeadlineStaysNoDeadline) {
  FakeUpstream upstream([](UpstreamCall& call) {
    EXPECT_GT(call.TimeLeft(), std::chrono::hours(24 * 365));
    call.Finish();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  EXPECT_TRUE(call.End().ok());
}

TEST_P(DeadlineTest, APassedDeadlineEndsBothSides) {
  std::atomic<bool> cancelled{false};
  FakeUpstream upstream([&](UpstreamCall& call) { cancelled = call.AwaitCancelled(); });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.SetTimeout(std::chrono::milliseconds(200));
  call.Start();
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Eventually([&] { return cancelled.load(); }));
  EXPECT_TRUE(Eventually([&] {
    return proxy.Metric("lanekeeper_streams_terminated_total", {{"cause", "deadline"}}) +
               proxy.Metric("lanekeeper_streams_terminated_total", {{"cause", "client_cancel"}}) ==
           1;
  }));
}

TEST_P(DeadlineTest, ADeadlineEndsAnRpcThatWaitsForTheUpstream) {
  ProxyHarness proxy(GetParam(), "127.0.0.1:1",
                     [](Config& config) { config.upstream.wait_for_ready = true; });
  DownstreamCall call(proxy.channel());
  call.SetTimeout(std::chrono::milliseconds(200));
  call.Start();
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_open", {}, 0));
}

}  // namespace
}  // namespace lanekeeper::testing

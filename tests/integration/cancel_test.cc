// A downstream that goes away takes its upstream call with it, at whatever point.
#include <gmock/gmock.h>

#include <future>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

class CancelTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(CancelTest);

// Runs `until_cancel` on the upstream, then expects the cancellation to arrive.
FakeUpstream::Script ThenExpectCancel(std::promise<bool>& seen,
                                      std::function<void(UpstreamCall&)> until_cancel) {
  return [&seen, until_cancel](UpstreamCall& call) {
    until_cancel(call);
    seen.set_value(call.AwaitCancelled());
  };
}

TEST_P(CancelTest, CancelBeforeTheFirstMessageReachesTheUpstream) {
  std::promise<bool> seen;
  FakeUpstream upstream(ThenExpectCancel(seen, [](UpstreamCall&) {}));
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  ASSERT_TRUE(Eventually([&] { return upstream.calls() == 1; }));
  call.Cancel();
  EXPECT_TRUE(seen.get_future().get());
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(
      proxy.AwaitMetric("lanekeeper_streams_terminated_total", {{"cause", "client_cancel"}}, 1));
}

TEST_P(CancelTest, CancelMidStreamReachesTheUpstream) {
  std::promise<bool> seen;
  FakeUpstream upstream(
      ThenExpectCancel(seen, [](UpstreamCall& call) { call.Write(*call.Read()); }));
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  ASSERT_TRUE(call.Write("x"));
  ASSERT_EQ(call.Read(), "x");
  call.Cancel();
  EXPECT_TRUE(seen.get_future().get());
}

TEST_P(CancelTest, CancelAfterTheHalfCloseReachesTheUpstream) {
  std::promise<bool> seen;
  FakeUpstream upstream(ThenExpectCancel(seen, [](UpstreamCall& call) {
    while (call.Read()) {
    }
    call.Write("working on it");
  }));
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  call.WritesDone();
  ASSERT_EQ(call.Read(), "working on it");
  call.Cancel();
  EXPECT_TRUE(seen.get_future().get());
}

TEST_P(CancelTest, CancelWhileResponsesAreStuckReachesTheUpstream) {
  std::promise<bool> seen;
  FakeUpstream upstream(ThenExpectCancel(seen, [](UpstreamCall& call) {
    while (call.WriteWithin(std::string(100000, 'r'), std::chrono::milliseconds(500))) {
    }
  }));
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  ASSERT_TRUE(call.Read().has_value());
  call.Cancel();
  EXPECT_TRUE(seen.get_future().get());
}

TEST_P(CancelTest, CancelWhileRequestsAreStuckReachesTheUpstream) {
  std::promise<bool> seen;
  FakeUpstream upstream(ThenExpectCancel(seen, [](UpstreamCall&) {}));
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  while (call.WriteWithin(std::string(100000, 'q'), std::chrono::milliseconds(500))) {
  }
  call.Cancel();
  EXPECT_TRUE(seen.get_future().get());
  call.AwaitWrite();
}

TEST_P(CancelTest, CancelWhileTheUpstreamIsUnreachableEndsTheRpc) {
  ProxyHarness proxy(GetParam(), "127.0.0.1:1",
                     [](Config& config) { config.upstream.wait_for_ready = true; });
  DownstreamCall call(proxy.channel());
  call.Start();
  ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_streams_open", {}, 1));
  call.Cancel();
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_open", {}, 0));
}

TEST_P(CancelTest, AStatusOfCancelledFromTheUpstreamIsAStatus) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.Finish({grpc::StatusCode::CANCELLED, "upstream's own"});
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  EXPECT_EQ(call.End().error_message(), "upstream's own");
  EXPECT_TRUE(
      proxy.AwaitMetric("lanekeeper_streams_terminated_total", {{"cause", "upstream_status"}}, 1));
}

TEST_P(CancelTest, ManyCancelsAtRandomMomentsLeaveNothingBehind) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  uint32_t state = 7;
  for (int i = 0; i < 200; ++i) {
    state = state * 1664525 + 1013904223;
    DownstreamCall call(proxy.channel());
    call.Start();
    for (uint32_t step = 0; step < (state >> 28); ++step) {
      if (!call.Write(std::string(step * 1000, 'x')) || !call.Read()) break;
    }
    if ((state >> 20) % 3 == 0) call.WritesDone();
    call.Cancel();
  }
}

}  // namespace
}  // namespace lanekeeper::testing

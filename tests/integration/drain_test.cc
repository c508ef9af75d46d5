// Shutdown lets open RPCs finish, takes no new ones, and cancels what is left with UNAVAILABLE.
#include <gmock/gmock.h>

#include <future>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

class DrainTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(DrainTest);

TEST_P(DrainTest, AnOpenStreamGoesOnAndFinishes) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.drain.timeout = kPatience; });
  DownstreamCall call(proxy.channel());
  call.Start();
  ASSERT_TRUE(call.Write("before"));
  ASSERT_EQ(call.Read(), "before");
  std::future<size_t> drained = std::async(std::launch::async, [&] { return proxy.app().Drain(); });

  // New RPCs are turned away from the moment that the channel has learned of the GOAWAY.
  EXPECT_TRUE(Eventually([&] {
    return Unary(proxy.channel(), "new").status.error_code() == grpc::StatusCode::UNAVAILABLE;
  }));
  ASSERT_TRUE(call.Write("during"));
  EXPECT_EQ(call.Read(), "during");
  EXPECT_TRUE(call.End().ok());
  EXPECT_EQ(drained.get(), 0u);
}

TEST_P(DrainTest, WhatIsLeftAtTheTimeoutEndsWithUnavailable) {
  std::promise<bool> cancelled;
  FakeUpstream upstream([&](UpstreamCall& call) {
    call.Write("hello");
    cancelled.set_value(call.AwaitCancelled());
  });
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.drain.timeout = std::chrono::milliseconds(100); });
  DownstreamCall call(proxy.channel());
  call.Start();
  ASSERT_EQ(call.Read(), "hello");
  EXPECT_EQ(proxy.app().Drain(), 1u);
  const grpc::Status status = call.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "lanekeeper is shutting down");
  EXPECT_TRUE(cancelled.get_future().get());
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_terminated_total", {{"cause", "drain"}}, 1));
}

TEST_P(DrainTest, AStalledStreamDoesNotHoldTheShutdownUp) {
  FakeUpstream upstream([](UpstreamCall& call) {
    while (call.WriteWithin(std::string(1000000, 'x'), std::chrono::milliseconds(300))) {
    }
    call.AwaitCancelled();
  });
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.drain.timeout = std::chrono::milliseconds(50); });
  DownstreamCall call(proxy.channel());
  call.Start();
  ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_stream_ops_in_flight",
                                {{"direction", "to_downstream"}, {"op", "send"}}, 1));
  EXPECT_EQ(proxy.app().Drain(), 1u);
}

TEST_P(DrainTest, EndDrainCancelsAtOnce) {
  FakeUpstream upstream([](UpstreamCall& call) { call.AwaitCancelled(); });
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.drain.timeout = std::chrono::hours(1); });
  DownstreamCall call(proxy.channel());
  call.Start();
  ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_streams_open", {}, 1));
  std::future<size_t> drained = std::async(std::launch::async, [&] { return proxy.app().Drain(); });
  proxy.app().EndDrain();
  EXPECT_EQ(drained.get(), 1u);
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace lanekeeper::testing

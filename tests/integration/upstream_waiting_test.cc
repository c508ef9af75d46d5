// RPCs that the upstream does not take yet (MAX_CONCURRENT_STREAMS) wait where they can be seen, in
// order, no longer than their deadline, and no more of them than limits.upstream_waiting.
#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kAwaiting[] = "lanekeeper_streams_awaiting_upstream";

class UpstreamWaitingTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(UpstreamWaitingTest);

// Takes two streams at a time and notes the order of their methods.
class NarrowUpstream {
 public:
  NarrowUpstream()
      : upstream_(
            [this](UpstreamCall& call) {
              Note(call.method());
              Echo(call);
            },
            0,
            [](grpc::ServerBuilder& builder) {
              builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 2);
            }) {}

  std::string address() const { return upstream_.address(); }
  std::vector<std::string> order() {
    std::lock_guard lock(mutex_);
    return order_;
  }

 private:
  void Note(const std::string& method) {
    std::lock_guard lock(mutex_);
    order_.push_back(method);
  }

  std::mutex mutex_;
  std::vector<std::string> order_;
  FakeUpstream upstream_;
};

// An RPC that is open and has been answered once.
std::unique_ptr<DownstreamCall> OpenCall(const ProxyHarness& proxy, const std::string& method) {
  auto call = std::make_unique<DownstreamCall>(proxy.channel(), method);
  call->Start();
  EXPECT_TRUE(call->Write("open"));
  EXPECT_EQ(call->Read(), "open");
  return call;
}

std::unique_ptr<DownstreamCall> WaitingCall(const ProxyHarness& proxy, const std::string& method,
                                            int place) {
  auto call = std::make_unique<DownstreamCall>(proxy.channel(), method);
  call->Start();
  EXPECT_TRUE(call->Write("waits"));
  EXPECT_TRUE(proxy.AwaitMetric(kAwaiting, {}, place));
  return call;
}

TEST_P(UpstreamWaitingTest, WaitingRpcsAreCountedAndTakenInOrder) {
  NarrowUpstream upstream;
  ProxyHarness proxy(GetParam(), upstream.address());
  auto first = OpenCall(proxy, "/s/1");
  auto second = OpenCall(proxy, "/s/2");
  EXPECT_EQ(proxy.Metric(kAwaiting), 0);
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_start_wait_seconds"), 2);
  auto third = WaitingCall(proxy, "/s/3", 1);
  auto fourth = WaitingCall(proxy, "/s/4", 2);
  auto fifth = WaitingCall(proxy, "/s/5", 3);
  EXPECT_THAT(upstream.order(), ElementsAre("/s/1", "/s/2"));

  EXPECT_TRUE(first->End().ok());
  EXPECT_EQ(third->Read(), "waits");
  EXPECT_EQ(proxy.Metric(kAwaiting), 2);
  EXPECT_TRUE(second->End().ok());
  EXPECT_EQ(fourth->Read(), "waits");
  EXPECT_TRUE(third->End().ok());
  EXPECT_EQ(fifth->Read(), "waits");
  EXPECT_TRUE(fourth->End().ok());
  EXPECT_TRUE(fifth->End().ok());
  EXPECT_THAT(upstream.order(), ElementsAre("/s/1", "/s/2", "/s/3", "/s/4", "/s/5"));
  EXPECT_EQ(proxy.Metric(kAwaiting), 0);
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_start_wait_seconds"), 5);
}

TEST_P(UpstreamWaitingTest, OneMoreThanMayWaitIsRefusedAtOnce) {
  NarrowUpstream upstream;
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.limits.upstream_waiting = 2; });
  auto first = OpenCall(proxy, "/s/1");
  auto second = OpenCall(proxy, "/s/2");
  auto third = WaitingCall(proxy, "/s/3", 1);
  auto fourth = WaitingCall(proxy, "/s/4", 2);
  for (int i = 0; i < 3; ++i) {
    const grpc::Status status = Unary(proxy.channel(), "one too many").status;
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_THAT(status.error_message(), HasSubstr("limits.upstream_waiting"));
  }
  EXPECT_TRUE(proxy.AwaitMetric(kAwaiting, {}, 2));
  EXPECT_EQ(proxy.Metric("lanekeeper_rpcs_rejected_total", {{"reason", "upstream_waiting"}}), 3);

  EXPECT_TRUE(first->End().ok());
  EXPECT_TRUE(second->End().ok());
  EXPECT_EQ(third->Read(), "waits");
  EXPECT_EQ(fourth->Read(), "waits");
  EXPECT_TRUE(third->End().ok());
  EXPECT_TRUE(fourth->End().ok());
  EXPECT_TRUE(Unary(proxy.channel(), "there is room again").status.ok());
}

// RPCs that come all at once are refused only if they really have to wait.
TEST_P(UpstreamWaitingTest, ABurstThatTheUpstreamTakesIsNotRefused) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.limits.upstream_waiting = 1; });
  EXPECT_TRUE(Unary(proxy.channel(), "connected").status.ok());
  std::vector<std::thread> burst;
  for (int i = 0; i < 32; ++i) {
    burst.emplace_back([&] {
      for (int j = 0; j < 20; ++j) EXPECT_TRUE(Unary(proxy.channel(), "x").status.ok());
    });
  }
  for (std::thread& one : burst) one.join();
  EXPECT_EQ(proxy.Metric("lanekeeper_rpcs_rejected_total", {{"reason", "upstream_waiting"}}), 0);
}

TEST_P(UpstreamWaitingTest, ADeadlineFiresWhileItWaits) {
  NarrowUpstream upstream;
  ProxyHarness proxy(GetParam(), upstream.address());
  auto first = OpenCall(proxy, "/s/1");
  auto second = OpenCall(proxy, "/s/2");
  DownstreamCall late(proxy.channel(), "/s/Late");
  late.SetTimeout(std::chrono::milliseconds(100));
  late.Start();
  EXPECT_EQ(late.End().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_terminated_total", {{"cause", "deadline"}}, 1));
  EXPECT_TRUE(proxy.AwaitMetric(kAwaiting, {}, 0));
  EXPECT_TRUE(first->End().ok());
  EXPECT_TRUE(second->End().ok());
  EXPECT_THAT(upstream.order(), ElementsAre("/s/1", "/s/2"));
}

TEST_P(UpstreamWaitingTest, ACancelledRpcLeavesTheQueue) {
  NarrowUpstream upstream;
  ProxyHarness proxy(GetParam(), upstream.address());
  auto first = OpenCall(proxy, "/s/1");
  auto second = OpenCall(proxy, "/s/2");
  auto third = WaitingCall(proxy, "/s/3", 1);
  auto fourth = WaitingCall(proxy, "/s/4", 2);
  third->Cancel();
  EXPECT_TRUE(proxy.AwaitMetric(kAwaiting, {}, 1));
  EXPECT_TRUE(first->End().ok());
  EXPECT_EQ(fourth->Read(), "waits");
  EXPECT_TRUE(second->End().ok());
  EXPECT_TRUE(fourth->End().ok());
  EXPECT_THAT(upstream.order(), ElementsAre("/s/1", "/s/2", "/s/4"));
}

// A first message larger than the upstream's window is a matter of flow control.
TEST_P(UpstreamWaitingTest, AFirstMessageThatWaitsForFlowControlDoesNotWaitForAStream) {
  FakeUpstream upstream([](UpstreamCall& call) { call.AwaitCancelled(); });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  EXPECT_FALSE(call.WriteWithin(std::string(32 << 20, 'x'), std::chrono::milliseconds(50)));
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_stream_ops_in_flight",
                                {{"direction", "to_upstream"}, {"op", "send"}}, 1));
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_upstream_start_wait_seconds", {}, 1));
  EXPECT_EQ(proxy.Metric(kAwaiting), 0);
  call.Cancel();
  EXPECT_FALSE(call.AwaitWrite());
}

}  // namespace
}  // namespace lanekeeper::testing

// limits.queue: RPCs beyond limits.open_rpcs wait in order, where they can be seen, no longer than
// the queue's timeout and their deadline, and cost no thread and no stream meanwhile.
#include <gmock/gmock.h>

#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kQueued[] = "lanekeeper_rpcs_queued";
constexpr char kRejected[] = "lanekeeper_rpcs_rejected_total";

class QueueTest : public BothKinds {
 protected:
  // Of so many places, with a queue.
  std::unique_ptr<ProxyHarness> Proxy(int64_t places, QueueConfig queue) {
    return std::make_unique<ProxyHarness>(GetParam(), upstream_.address(), [=](Config& config) {
      config.limits.open_rpcs = places;
      config.limits.queue = queue;
    });
  }

  // One that has been let in and answered once.
  static std::unique_ptr<DownstreamCall> OpenCall(const ProxyHarness& proxy) {
    auto call = std::make_unique<DownstreamCall>(proxy.channel(), "/s/First");
    call->Start();
    EXPECT_TRUE(call->Write("open"));
    EXPECT_EQ(call->Read(), "open");
    return call;
  }

  static std::unique_ptr<DownstreamCall> WaitingCall(const ProxyHarness& proxy,
                                                     const std::string& method, int place) {
    auto call = std::make_unique<DownstreamCall>(proxy.channel(), method);
    call->Start();
    EXPECT_TRUE(call->Write("waits"));
    EXPECT_TRUE(proxy.AwaitMetric(kQueued, {}, place));
    return call;
  }

  std::vector<std::string> order() {
    const std::lock_guard lock(mutex_);
    return order_;
  }

  std::mutex mutex_;
  std::vector<std::string> order_;  // the methods that the upstream has seen
  FakeUpstream upstream_{[this](UpstreamCall& call) {
    {
      const std::lock_guard lock(mutex_);
      order_.push_back(call.method());
    }
    Echo(call);
  }};
};
LANEKEEPER_BOTH_KINDS(QueueTest);

TEST_P(QueueTest, ThoseThatWaitAreLetInInTheOrderOfComing) {
  const auto proxy = Proxy(1, {3, seconds(60)});
  auto first = OpenCall(*proxy);
  auto second = WaitingCall(*proxy, "/s/2", 1);
  auto third = WaitingCall(*proxy, "/s/3", 2);
  auto fourth = WaitingCall(*proxy, "/s/4", 3);
  EXPECT_THAT(order(), ElementsAre("/s/First"));
  EXPECT_TRUE(first->End().ok());
  EXPECT_EQ(second->Read(), "waits");
  EXPECT_EQ(proxy->Metric(kQueued), 2);
  EXPECT_TRUE(second->End().ok());
  EXPECT_EQ(third->Read(), "waits");
  EXPECT_TRUE(third->End().ok());
  EXPECT_EQ(fourth->Read(), "waits");
  EXPECT_TRUE(fourth->End().ok());
  EXPECT_THAT(order(), ElementsAre("/s/First", "/s/2", "/s/3", "/s/4"));
  EXPECT_EQ(proxy->Metric("lanekeeper_queue_wait_seconds"), 3);
  EXPECT_EQ(proxy->Metric(kRejected), 0);
}

TEST_P(QueueTest, OneMoreThanMayWaitIsRefusedAtOnce) {
  const auto proxy = Proxy(1, {1, seconds(60)});
  auto first = OpenCall(*proxy);
  auto second = WaitingCall(*proxy, "/s/2", 1);
  const grpc::Status refused = Unary(proxy->channel(), "one too many").status;
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("limits.queue.length"));
  EXPECT_EQ(proxy->Metric(kRejected, {{"reason", "queue_full"}}), 1);
  EXPECT_TRUE(first->End().ok());
  EXPECT_EQ(second->Read(), "waits");
  EXPECT_TRUE(second->End().ok());
}

TEST_P(QueueTest, OneThatWaitsIsSeenAndHasNoThread) {
  const auto proxy = Proxy(1, {5, seconds(60)});
  auto first = OpenCall(*proxy);
  auto second = WaitingCall(*proxy, "/s/2", 1);
  const auto streams = proxy->app().control().ListStreams({.method = "/s/2"}, 0, 10).streams;
  ASSERT_EQ(streams.size(), 1u);
  EXPECT_EQ(streams[0].to_upstream.state, LaneState::kWaiting);
  EXPECT_EQ(streams[0].to_upstream.waiting_for, WaitingFor::kAdmission);
  EXPECT_FALSE(streams[0].stall);
  EXPECT_EQ(proxy->Metric("lanekeeper_rpc_threads", {{"state", "busy"}}), 1);
  EXPECT_EQ(proxy->Metric("lanekeeper_streams_open"), 2);
  EXPECT_TRUE(first->End().ok());
  EXPECT_EQ(second->Read(), "waits");
  EXPECT_TRUE(second->End().ok());
}

TEST_P(QueueTest, OneThatWaitsForTooLongIsRefused) {
  const auto proxy = Proxy(1, {5, milliseconds(100)});
  auto first = OpenCall(*proxy);
  for (const seconds deadline : {seconds(0), seconds(60)}) {
    DownstreamCall late(proxy->channel(), "/s/Late");
    if (deadline.count() > 0) late.SetTimeout(deadline);
    late.Start();
    const grpc::Status status = late.End();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_THAT(status.error_message(), HasSubstr("limits.queue.timeout"));
  }
  EXPECT_EQ(proxy->Metric(kRejected, {{"reason", "queue_timeout"}}), 2);
  EXPECT_TRUE(proxy->AwaitMetric(kQueued, {}, 0));
  EXPECT_TRUE(first->End().ok());
  EXPECT_EQ(Unary(proxy->channel(), "room again").response, "room again");
  EXPECT_THAT(order(), ElementsAre("/s/First", kMethod));
}

TEST_P(QueueTest, ADeadlineFiresWhileItWaits) {
  for (const milliseconds timeout : {milliseconds(0), milliseconds(60'000)}) {
    order_.clear();
    const auto proxy = Proxy(1, {5, timeout});
    auto first = OpenCall(*proxy);
    DownstreamCall late(proxy->channel(), "/s/Late");
    late.SetTimeout(milliseconds(100));
    late.Start();
    EXPECT_EQ(late.End().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    EXPECT_TRUE(
        proxy->AwaitMetric("lanekeeper_streams_terminated_total", {{"cause", "deadline"}}, 1));
    EXPECT_TRUE(proxy->AwaitMetric(kQueued, {}, 0));
    EXPECT_EQ(proxy->Metric(kRejected), 0);
    EXPECT_EQ(proxy->Metric("lanekeeper_queue_wait_seconds"), 1);
    EXPECT_TRUE(first->End().ok());
    EXPECT_THAT(order(), ElementsAre("/s/First"));
  }
}

// Nobody but lanekeeper looks at the clock: this client has no timer.
TEST_P(QueueTest, TheDeadlineEndsTheWaitOfAClientThatDoesNot) {
  const auto proxy = Proxy(1, {5, milliseconds(60'000)});
  auto first = OpenCall(*proxy);
  RawPeer client = RawPeer::Dial(*proxy);
  client.Ask(1, "late", {{"grpc-timeout", "100m"}});
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].status(), "4");
  EXPECT_TRUE(proxy->AwaitMetric(kQueued, {}, 0));
  EXPECT_TRUE(first->End().ok());
  EXPECT_THAT(order(), ElementsAre("/s/First"));
}

// The queue's timeout is over with the wait, the deadline is not.
TEST_P(QueueTest, OneThatWasLetInHasItsDeadlineAndNoOther) {
  const auto proxy = Proxy(1, {5, milliseconds(300)});
  auto first = OpenCall(*proxy);
  auto unbounded = WaitingCall(*proxy, "/s/2", 1);
  EXPECT_TRUE(first->End().ok());
  EXPECT_EQ(unbounded->Read(), "waits");
  DownstreamCall third(proxy->channel(), "/s/3");
  third.Start();
  EXPECT_EQ(third.End().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  // It has been open for longer than the timeout of those that wait.
  ASSERT_TRUE(unbounded->Write("still"));
  EXPECT_EQ(unbounded->Read(), "still");

  DownstreamCall fourth(proxy->channel(), "/s/4");
  fourth.SetTimeout(milliseconds(250));
  fourth.Start();
  ASSERT_TRUE(proxy->AwaitMetric(kQueued, {}, 1));
  EXPECT_TRUE(unbounded->End().ok());
  EXPECT_EQ(fourth.Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(proxy->AwaitMetric("lanekeeper_streams_open", {}, 0));
}

TEST_P(QueueTest, ACancelledRpcLeavesTheQueue) {
  const auto proxy = Proxy(1, {5, seconds(60)});
  auto first = OpenCall(*proxy);
  auto second = WaitingCall(*proxy, "/s/2", 1);
  auto third = WaitingCall(*proxy, "/s/3", 2);
  auto fourth = WaitingCall(*proxy, "/s/4", 3);
  second->Cancel();
  EXPECT_TRUE(proxy->AwaitMetric(kQueued, {}, 2));
  const auto streams = proxy->app().control().ListStreams({.method = "/s/3"}, 0, 10).streams;
  ASSERT_EQ(streams.size(), 1u);
  EXPECT_TRUE(proxy->app().control().CancelStream(streams[0].id, "enough"));
  EXPECT_EQ(third->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(proxy->AwaitMetric(kQueued, {}, 1));
  EXPECT_TRUE(first->End().ok());
  EXPECT_EQ(fourth->Read(), "waits");
  EXPECT_TRUE(fourth->End().ok());
  EXPECT_THAT(order(), ElementsAre("/s/First", "/s/4"));
}

TEST_P(QueueTest, OneThatFailsAnywayDoesNotWait) {
  const auto proxy = Proxy(1, {5, seconds(60)});
  auto first = OpenCall(*proxy);
  RawPeer client = RawPeer::Dial(*proxy);
  client.Headers(1, RequestFields({{"grpc-timeout", "soon"}}), kEndStream);
  ASSERT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].status(), "13");
  EXPECT_TRUE(proxy->AwaitMetric("lanekeeper_streams_open", {}, 1));
  EXPECT_EQ(proxy->Metric(kQueued), 0);
  EXPECT_EQ(proxy->Metric("lanekeeper_queue_wait_seconds"), 0);
  EXPECT_TRUE(first->End().ok());
}

TEST_P(QueueTest, ADrainEndsThoseThatWait) {
  ProxyHarness proxy(GetParam(), upstream_.address(), [](Config& config) {
    config.limits.open_rpcs = 1;
    config.limits.queue = {5, seconds(60)};
    config.drain.timeout = seconds(0);
  });
  auto first = OpenCall(proxy);
  auto second = WaitingCall(proxy, "/s/2", 1);
  EXPECT_EQ(proxy.app().Drain(), 2u);
  EXPECT_EQ(first->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(second->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(proxy.Metric(kQueued), 0);
}

// What waits is bounded by the window of its stream, and goes on from where it stood.
TEST_P(QueueTest, OneThatWaitsHoldsNoMoreThanItsWindow) {
  const auto proxy = Proxy(1, {5, seconds(60)});
  auto first = OpenCall(*proxy);
  RawPeer client = RawPeer::Dial(*proxy);
  ASSERT_TRUE(client.Await([&] { return client.setting(kInitialWindowSize).has_value(); }));
  const auto window = static_cast<size_t>(client.window(1));
  const std::string message(2 * window, 'x');
  const std::string framed = Framed(message);
  client.Headers(1, RequestFields());
  ASSERT_TRUE(client.Data(1, framed.substr(0, window)));
  client.Send(kPing, 0, 0, "8 bytes.");
  ASSERT_TRUE(client.Await([&] { return client.pings_acknowledged() == 1; }));
  EXPECT_EQ(client.window(1), 0);
  EXPECT_EQ(proxy->Metric(kQueued), 1);
  EXPECT_LT(proxy->Metric("lanekeeper_buffered_bytes"), 3.0 * static_cast<double>(window));
  EXPECT_TRUE(first->End().ok());
  ASSERT_TRUE(client.Data(1, framed.substr(window), kEndStream));
  ASSERT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].status(), "0");
  EXPECT_EQ(client[1].data, framed);
}

// Twice the cap at once, again and again: just the cap reaches the upstream, the excess is refused,
// and who was let in gets its own answer.
TEST_P(QueueTest, TwiceTheCapIsHalfRefusedAndTheOthersAreUnharmed) {
  constexpr uint32_t kCap = 50;
  constexpr uint32_t kRounds = 20;
  const auto proxy = Proxy(kCap, {});
  RawPeer client = RawPeer::Dial(*proxy);
  uint32_t stream = 1;
  for (uint32_t round = 1; round <= kRounds; ++round) {
    const uint32_t begin = stream;
    // None ends before all have come.
    for (uint32_t i = 0; i < 2 * kCap; ++i, stream += 2) client.Headers(stream, RequestFields());
    ASSERT_TRUE(client.Await([&] { return client.over() == round * kCap + (round - 1) * kCap; }));
    uint32_t refused = 0;
    for (uint32_t one = begin; one < stream; one += 2) {
      if (client[one].over()) {
        EXPECT_EQ(client[one].status(), "8");
        ++refused;
      } else {
        client.Data(one, Framed(std::to_string(one)), kEndStream);
      }
    }
    EXPECT_EQ(refused, kCap);
    ASSERT_TRUE(client.Await([&] { return client.over() == 2 * round * kCap; }));
    for (uint32_t one = begin; one < stream; one += 2) {
      const bool answered = client[one].status() == "0";
      EXPECT_EQ(client[one].data, answered ? Framed(std::to_string(one)) : "");
    }
    ASSERT_TRUE(proxy->AwaitMetric("lanekeeper_streams_open", {}, 0));
  }
  EXPECT_EQ(proxy->Metric(kRejected, {{"reason", "open_rpcs"}}), kRounds * kCap);
  EXPECT_EQ(upstream_.calls(), static_cast<int>(kRounds * kCap));
}

TEST_P(QueueTest, TwiceTheCapWithAQueueOfTheCapIsAllAnswered) {
  constexpr uint32_t kCap = 50;
  const auto proxy = Proxy(kCap, {kCap, seconds(60)});
  RawPeer client = RawPeer::Dial(*proxy);
  constexpr uint32_t kEnd = 4 * kCap;
  for (uint32_t stream = 1; stream < kEnd; stream += 2) client.Headers(stream, RequestFields());
  ASSERT_TRUE(proxy->AwaitMetric(kQueued, {}, kCap));
  for (uint32_t stream = 1; stream < kEnd; stream += 2) {
    client.Data(stream, Framed(std::to_string(stream)), kEndStream);
  }
  ASSERT_TRUE(client.Await([&] { return client.over() == 2 * kCap; }));
  for (uint32_t stream = 1; stream < kEnd; stream += 2) {
    EXPECT_EQ(client[stream].status(), "0");
    EXPECT_EQ(client[stream].data, Framed(std::to_string(stream)));
  }
  EXPECT_EQ(proxy->Metric(kRejected), 0);
  EXPECT_EQ(proxy->Metric("lanekeeper_queue_wait_seconds"), kCap);
}

}  // namespace
}  // namespace lanekeeper::testing

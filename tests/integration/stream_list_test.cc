// The list of open streams: what it says of each, filters, pages, cancels; and that looking at many
// streams holds up none.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class StreamListTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(StreamListTest);

std::vector<StreamSnapshot> List(ProxyHarness& proxy, const StreamFilter& filter = {}) {
  return proxy.app().control().ListStreams(filter, 0, 1000).streams;
}

std::unique_ptr<DownstreamCall> OpenCall(const ProxyHarness& proxy, const std::string& method,
                                         seconds timeout = seconds(0)) {
  auto call = std::make_unique<DownstreamCall>(proxy.channel(), method);
  if (timeout.count() > 0) call->SetTimeout(timeout);
  call->Start();
  EXPECT_TRUE(call->Write("open"));
  EXPECT_EQ(call->Read(), "open");
  return call;
}

TEST_P(StreamListTest, AStreamIsShownAsItIs) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  const auto before = std::chrono::system_clock::now();
  auto call = OpenCall(proxy, "/shop.Orders/Watch", seconds(60));
  ASSERT_TRUE(call->Write(std::string(100, 'x')));
  ASSERT_TRUE(call->Read());
  // The send downstream settles a moment after its message has been read.
  ASSERT_TRUE(Eventually([&] { return List(proxy).at(0).to_downstream.messages == 2; }));
  const StreamSnapshot stream = List(proxy).at(0);
  EXPECT_EQ(stream.started, List(proxy).at(0).started);
  EXPECT_EQ(stream.method, "/shop.Orders/Watch");
  EXPECT_THAT(stream.downstream_peer, StartsWith("ipv4:127.0.0.1:"));
  EXPECT_GE(stream.started, before - seconds(1));
  EXPECT_LE(stream.started, std::chrono::system_clock::now());
  ASSERT_TRUE(stream.deadline_left);
  EXPECT_GT(*stream.deadline_left, seconds(20));
  EXPECT_LE(*stream.deadline_left, seconds(63));  // core rounds up
  EXPECT_EQ(stream.thread_kind, GetParam());
  EXPECT_EQ(stream.attempts, 1);
  EXPECT_TRUE(stream.answered);
  for (const LaneSnapshot& lane : {stream.to_upstream, stream.to_downstream}) {
    EXPECT_EQ(lane.messages, 2);
    EXPECT_EQ(lane.bytes, 104);
    EXPECT_EQ(lane.state, LaneState::kReceiving);
    EXPECT_EQ(lane.waiting_for, WaitingFor::kSender);
    EXPECT_GT(lane.sender_wait.count(), 0);
    EXPECT_LE(lane.sender_wait, stream.age);
    EXPECT_LE(lane.state_for, stream.age);
  }
  EXPECT_FALSE(stream.stall);
  EXPECT_TRUE(call->End().ok());
  EXPECT_TRUE(Eventually([&] { return List(proxy).empty(); }));
}

TEST_P(StreamListTest, AStreamThatTheUpstreamHasNotAnsweredSaysSo) {
  FakeUpstream upstream([](UpstreamCall& call) { call.AwaitCancelled(); });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  ASSERT_TRUE(Eventually([&] {
    const auto streams = List(proxy, {.state = LaneState::kReceiving});
    return !streams.empty() && streams[0].to_downstream.state_for.count() > 0;
  }));
  EXPECT_FALSE(List(proxy).at(0).answered);
  EXPECT_FALSE(List(proxy).at(0).deadline_left);
  call.Cancel();
}

TEST_P(StreamListTest, FiltersHoldTogether) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  auto orders = OpenCall(proxy, "/shop.Orders/Watch");
  auto stock = OpenCall(proxy, "/shop.Stock/Watch");
  ASSERT_TRUE(stock->WritesDone());
  ASSERT_TRUE(Eventually([&] { return List(proxy).size() == 1; }));
  const auto methods = [&](const StreamFilter& filter) {
    std::set<std::string> found;
    for (const StreamSnapshot& stream : List(proxy, filter)) found.insert(stream.method);
    return found;
  };
  using Methods = std::set<std::string>;
  auto more = OpenCall(proxy, "/shop.Stock/Take");
  EXPECT_EQ(methods({}), (Methods{"/shop.Orders/Watch", "/shop.Stock/Take"}));
  EXPECT_EQ(methods({.method = "Stock"}), Methods{"/shop.Stock/Take"});
  EXPECT_EQ(methods({.method = "Nothing"}), Methods{});
  EXPECT_EQ(methods({.peer = "127.0.0.1"}).size(), 2u);
  EXPECT_EQ(methods({.peer = "10.0.0.1"}), Methods{});
  EXPECT_EQ(methods({.state = LaneState::kSending}), Methods{});
  EXPECT_EQ(methods({.method = "Take", .state = LaneState::kReceiving}),
            Methods{"/shop.Stock/Take"});
  EXPECT_EQ(methods({.min_age = std::chrono::hours(1)}), Methods{});
  EXPECT_EQ(methods({.stuck = true}), Methods{});
  EXPECT_TRUE(orders->End().ok());
  EXPECT_TRUE(more->End().ok());
}

TEST_P(StreamListTest, PagesShowEveryStreamOnceOldestFirst) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  std::vector<std::unique_ptr<DownstreamCall>> calls;
  for (int i = 0; i < 20; ++i) calls.push_back(OpenCall(proxy, "/s/M" + std::to_string(i)));
  std::vector<std::string> seen;
  StreamId last = 0;
  for (bool more = true; more;) {
    const StreamPage page = proxy.app().control().ListStreams({}, last, 7);
    EXPECT_EQ(page.matching, 20u);
    for (const StreamSnapshot& stream : page.streams) {
      EXPECT_GT(stream.id, last);
      last = stream.id;
      seen.push_back(stream.method);
    }
    more = page.more;
  }
  ASSERT_EQ(seen.size(), 20u);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(seen[static_cast<size_t>(i)], "/s/M" + std::to_string(i));
  for (auto& call : calls) EXPECT_TRUE(call->End().ok());
}

TEST_P(StreamListTest, CancelEndsOneStreamOnBothSides) {
  std::atomic<int> cancelled{0};
  FakeUpstream upstream([&](UpstreamCall& call) {
    while (auto request = call.Read()) call.Write(*request);
    if (call.AwaitCancelled()) ++cancelled;
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  auto first = OpenCall(proxy, "/s/First");
  auto second = OpenCall(proxy, "/s/Second");
  const StreamId id = List(proxy, {.method = "First"}).at(0).id;
  const auto was = proxy.app().control().CancelStream(id, "it hangs");
  ASSERT_TRUE(was);
  EXPECT_EQ(was->method, "/s/First");
  const grpc::Status status = first->End();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(status.error_message(), "lanekeeper: cancelled by an operator: it hangs");
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_terminated_total", {{"cause", "operator"}}, 1));
  EXPECT_TRUE(Eventually([&] { return cancelled == 1; }));
  EXPECT_FALSE(proxy.app().control().CancelStream(id, ""));
  EXPECT_FALSE(proxy.app().control().FindStream(id));
  ASSERT_TRUE(second->Write("still here"));
  EXPECT_EQ(second->Read(), "still here");
  second->Cancel();
}

TEST_P(StreamListTest, TotalsCountWhatHasBeen) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Unary(proxy.channel(), "12345").status.ok());
  auto call = OpenCall(proxy, "/s/M");
  ASSERT_TRUE(
      Eventually([&] { return proxy.app().control().Totals().messages_to_downstream() == 4; }));
  ASSERT_TRUE(Eventually([&] { return proxy.app().control().Totals().streams_open() == 1; }));
  const adminpb::Totals totals = proxy.app().control().Totals();
  EXPECT_EQ(totals.rpcs_started(), 4u);
  EXPECT_EQ(totals.messages_to_upstream(), 4u);
  EXPECT_EQ(totals.bytes_to_upstream(), 19u);
  EXPECT_EQ(totals.bytes_to_downstream(), 19u);
  EXPECT_EQ(totals.streams_stuck(), 0u);
  EXPECT_EQ(totals.downstream_connections(), 1u);
  EXPECT_EQ(totals.upstream_connections(), 1u);
  EXPECT_FALSE(totals.draining());
  EXPECT_EQ(totals.upstream_state(), "ready");
  EXPECT_EQ(totals.upstream_address(), upstream.address());
  EXPECT_TRUE(call->End().ok());
  // Zeros are written too; what matches a filter is the only one that is not the whole proxy's.
  for (int i = 0; i < totals.GetDescriptor()->field_count(); ++i) {
    const auto* field = totals.GetDescriptor()->field(i);
    EXPECT_EQ(totals.GetReflection()->HasField(totals, field), field->name() != "streams_matching");
  }
}

// Many look while many RPCs come and go: nobody deadlocks, nothing is seen half made.
TEST_P(StreamListTest, LookingWhileRpcsComeAndGoIsSafe) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  std::atomic<bool> done{false};
  std::vector<std::thread> lookers;
  for (int i = 0; i < 3; ++i) {
    lookers.emplace_back([&] {
      while (!done) {
        for (const StreamSnapshot& stream : List(proxy)) {
          EXPECT_THAT(stream.method, StartsWith("/lanekeeper.tests"));
          proxy.app().control().FindStream(stream.id);
        }
      }
    });
  }
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(Unary(proxy.channel(), "x").status.ok());
  done = true;
  for (std::thread& looker : lookers) looker.join();
}

}  // namespace
}  // namespace lanekeeper::testing

// Every kind of stall is told apart from the others, and from streams that are merely idle; with
// stuck.action: cancel the blocked ones end.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kAfter(300);
// More than HTTP/2's windows and the sockets' buffers take.
constexpr int kManyMessages = 200;
const std::string kLargeMessage(256 * 1024, 'x');

void OneStream(grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 1);
}

// Reads what comes and never answers.
void Swallow(UpstreamCall& call) {
  while (call.Read()) {
  }
  call.AwaitCancelled();
}

// Takes the RPC and looks at nothing.
void Ignore(UpstreamCall& call) { call.AwaitCancelled(); }

void Flood(UpstreamCall& call) {
  for (int i = 0; i < kManyMessages && call.Write(kLargeMessage); ++i) {
  }
}

class StuckTest : public BothKinds {
 protected:
  std::unique_ptr<ProxyHarness> Proxy(const std::string& upstream,
                                      const std::function<void(Config&)>& change = {}) const {
    return std::make_unique<ProxyHarness>(GetParam(), upstream, [&](Config& config) {
      config.stuck.after = kAfter;
      if (change) change(config);
    });
  }

  static StreamPage List(ProxyHarness& proxy, const StreamFilter& filter = {}) {
    return proxy.app().control().ListStreams(filter, 0, 100);
  }

  // Waits until one stream is stuck in this way, by every account: the gauge, the counter, the
  // totals and the list.
  static void AwaitStuck(ProxyHarness& proxy, StallKind kind, Direction direction) {
    const MetricLabels labels = {{"direction", ToLabel(direction)}, {"kind", ToLabel(kind)}};
    ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_streams_stuck", labels, 1));
    EXPECT_EQ(proxy.Metric("lanekeeper_streams_stuck"), 1);
    EXPECT_EQ(proxy.Metric("lanekeeper_stream_stalls_total", labels), 1);
    EXPECT_EQ(proxy.app().control().Totals().streams_stuck(), 1u);
    const StreamPage stuck = List(proxy, {.stuck = true});
    ASSERT_EQ(stuck.streams.size(), 1u);
    ASSERT_TRUE(stuck.streams[0].stall);
    EXPECT_EQ(stuck.streams[0].stall->kind, kind);
    EXPECT_EQ(stuck.streams[0].stall->direction, direction);
    EXPECT_GE(stuck.streams[0].stall->lasted, kAfter);
  }

  // Looks long enough for the detector to have looked at a stream that has been like this for
  // twice as long as it takes to be stuck.
  static void ExpectNeverStuck(ProxyHarness& proxy) {
    ASSERT_TRUE(Eventually([&] {
      const StreamPage page = List(proxy);
      return !page.streams.empty() && page.streams[0].to_downstream.state_for > 2 * kAfter;
    }));
    EXPECT_EQ(proxy.Metric("lanekeeper_stream_stalls_total"), 0);
    EXPECT_EQ(proxy.Metric("lanekeeper_streams_stuck"), 0);
    EXPECT_TRUE(List(proxy, {.stuck = true}).streams.empty());
  }
};
LANEKEEPER_BOTH_KINDS(StuckTest);

TEST_P(StuckTest, ADownstreamThatDoesNotReadIsNamedAndForgottenWhenItDoes) {
  FakeUpstream upstream(Flood);
  auto proxy = Proxy(upstream.address());
  DownstreamCall call(proxy->channel());
  call.Start();
  ASSERT_TRUE(call.WritesDone());
  AwaitStuck(*proxy, StallKind::kSlowReceiver, Direction::kToDownstream);
  const StreamSnapshot stream = List(*proxy).streams.at(0);
  EXPECT_EQ(stream.to_downstream.state, LaneState::kSending);
  EXPECT_EQ(stream.to_downstream.waiting_for, WaitingFor::kReceiver);
  EXPECT_GE(stream.to_downstream.receiver_wait, kAfter);
  EXPECT_EQ(stream.to_upstream.state, LaneState::kHalfClosed);

  EXPECT_TRUE(call.End().ok());
  EXPECT_TRUE(proxy->AwaitMetric("lanekeeper_streams_stuck", {}, 0));
  EXPECT_EQ(proxy->Metric("lanekeeper_stream_stalls_total"), 1);
}

TEST_P(StuckTest, AnUpstreamThatDoesNotReadIsNamed) {
  FakeUpstream upstream(Ignore);
  auto proxy = Proxy(upstream.address());
  DownstreamCall call(proxy->channel());
  call.Start();
  int written = 0;
  while (written < kManyMessages && call.WriteWithin(kLargeMessage, milliseconds(500))) ++written;
  ASSERT_LT(written, kManyMessages);
  AwaitStuck(*proxy, StallKind::kSlowReceiver, Direction::kToUpstream);
  const LaneSnapshot lane = List(*proxy).streams.at(0).to_upstream;
  EXPECT_EQ(lane.state, LaneState::kSending);
  EXPECT_EQ(lane.waiting_for, WaitingFor::kReceiver);
  call.Cancel();
  call.AwaitWrite();
}

TEST_P(StuckTest, AnUpstreamThatNeverAnswersIsNamed) {
  FakeUpstream upstream(Swallow);
  auto proxy = Proxy(upstream.address());
  DownstreamCall call(proxy->channel());
  call.Start();
  ASSERT_TRUE(call.Write("request"));
  ASSERT_TRUE(call.WritesDone());
  AwaitStuck(*proxy, StallKind::kSilentSender, Direction::kToDownstream);
  const StreamSnapshot stream = List(*proxy).streams.at(0);
  EXPECT_FALSE(stream.answered);
  EXPECT_EQ(stream.to_downstream.state, LaneState::kReceiving);
  EXPECT_EQ(stream.to_downstream.waiting_for, WaitingFor::kSender);
  call.Cancel();
}

TEST_P(StuckTest, AStreamHalfClosedAndForgottenIsNamed) {
  FakeUpstream upstream([](UpstreamCall& call) {
    while (auto request = call.Read()) call.Write(*request);
    call.AwaitCancelled();
  });
  auto proxy = Proxy(upstream.address());
  DownstreamCall call(proxy->channel());
  call.Start();
  ASSERT_TRUE(call.Write("x"));
  ASSERT_EQ(call.Read(), "x");
  ASSERT_TRUE(call.WritesDone());
  AwaitStuck(*proxy, StallKind::kHalfClosed, Direction::kToDownstream);
  EXPECT_EQ(proxy->Metric("lanekeeper_streams_half_closed"), 1);
  const StreamSnapshot stream = List(*proxy).streams.at(0);
  EXPECT_TRUE(stream.answered);
  EXPECT_EQ(stream.to_upstream.state, LaneState::kHalfClosed);
  EXPECT_EQ(stream.to_upstream.waiting_for, WaitingFor::kNobody);
  call.Cancel();
}

TEST_P(StuckTest, ExhaustedStreamSlotsAreNamed) {
  FakeUpstream upstream(Echo, 0, OneStream);
  auto proxy = Proxy(upstream.address());
  DownstreamCall first(proxy->channel());
  first.Start();
  ASSERT_TRUE(first.Write("x"));
  ASSERT_EQ(first.Read(), "x");
  DownstreamCall second(proxy->channel());
  second.Start();
  AwaitStuck(*proxy, StallKind::kStreamSlots, Direction::kToUpstream);
  const LaneSnapshot lane = List(*proxy, {.stuck = true}).streams.at(0).to_upstream;
  EXPECT_EQ(lane.state, LaneState::kWaiting);
  EXPECT_EQ(lane.waiting_for, WaitingFor::kStreamSlot);
  EXPECT_TRUE(first.End().ok());
  EXPECT_TRUE(second.End().ok());
  EXPECT_GE(proxy->Metric("lanekeeper_stream_op_wait_seconds", {{"waiting_for", "stream_slot"}}),
            2);
}

// The first message travels with the headers, and core tells only when both have left.
TEST_P(StuckTest, AnUpstreamThatTakesNoFirstMessageIsNotTakenForOneWithoutStreams) {
  FakeUpstream upstream(Ignore, 0, [](grpc::ServerBuilder& builder) {
    builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 16);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  });
  auto proxy = Proxy(upstream.address());
  // Those that come later show that the upstream does take streams.
  std::list<DownstreamCall> calls;
  for (int stuck = 1; stuck <= 3; ++stuck) {
    DownstreamCall& call = calls.emplace_back(proxy->channel());
    call.Start();
    // The headers of the last go ahead of its message: nobody comes behind it to show that they
    // have left.
    if (stuck == 3) {
      ASSERT_TRUE(proxy->AwaitMetric("lanekeeper_streams_open", {}, 3));
    }
    ASSERT_TRUE(call.Write(std::string(8000, 'x')));
    const MetricLabels to_upstream = {{"direction", "to_upstream"}};
    ASSERT_TRUE(proxy->AwaitMetric("lanekeeper_streams_stuck", to_upstream, stuck));
  }
  EXPECT_TRUE(proxy->AwaitMetric("lanekeeper_streams_stuck", {{"kind", "slow_receiver"}}, 3));
  EXPECT_EQ(proxy->Metric("lanekeeper_streams_stuck", {{"kind", "stream_slots"}}), 0);
  for (const StreamSnapshot& stream : List(*proxy).streams) {
    EXPECT_EQ(stream.to_upstream.state, LaneState::kSending);
    EXPECT_EQ(stream.to_upstream.waiting_for, WaitingFor::kReceiver);
  }
  for (DownstreamCall& call : calls) call.Cancel();
}

TEST_P(StuckTest, AMissingConnectionIsNamed) {
  auto proxy = Proxy("127.0.0.1:1", [](Config& config) { config.upstream.wait_for_ready = true; });
  DownstreamCall call(proxy->channel());
  call.Start();
  AwaitStuck(*proxy, StallKind::kNotConnected, Direction::kToUpstream);
  EXPECT_EQ(List(*proxy).streams.at(0).to_upstream.waiting_for, WaitingFor::kConnection);
  call.Cancel();
}

TEST_P(StuckTest, AnIdleStreamIsNotStuck) {
  FakeUpstream upstream(Echo);
  auto proxy = Proxy(upstream.address());
  DownstreamCall call(proxy->channel());
  call.Start();
  ASSERT_TRUE(call.Write("x"));
  ASSERT_EQ(call.Read(), "x");
  ExpectNeverStuck(*proxy);
  EXPECT_TRUE(call.End().ok());
}

TEST_P(StuckTest, AStreamOnWhichNobodyHasSpokenIsNotStuck) {
  FakeUpstream upstream(Echo);
  auto proxy = Proxy(upstream.address());
  DownstreamCall call(proxy->channel());
  call.Start();
  ExpectNeverStuck(*proxy);
  EXPECT_TRUE(call.End().ok());
}

TEST_P(StuckTest, AnUploadThatPausesIsNotStuck) {
  FakeUpstream upstream(Swallow);
  auto proxy = Proxy(upstream.address());
  DownstreamCall call(proxy->channel());
  call.Start();
  ASSERT_TRUE(call.Write("part"));
  ExpectNeverStuck(*proxy);
  call.Cancel();
}

TEST_P(StuckTest, ASubscriptionWithoutNewsIsNotStuck) {
  FakeUpstream upstream([](UpstreamCall& call) {
    while (call.Read()) {
    }
    call.Write("the state of things");
    call.AwaitCancelled();
  });
  auto proxy = Proxy(upstream.address());
  DownstreamCall call(proxy->channel());
  call.Start();
  ASSERT_TRUE(call.Write("subscribe"));
  ASSERT_TRUE(call.WritesDone());
  ASSERT_TRUE(call.Read());
  ExpectNeverStuck(*proxy);
  call.Cancel();
}

TEST_P(StuckTest, NothingIsStuckWhereTheConfigurationTurnsItOff) {
  FakeUpstream upstream(Swallow);
  auto proxy = Proxy(upstream.address(),
                     [](Config& config) { config.stuck.silent_after = milliseconds(0); });
  DownstreamCall call(proxy->channel());
  call.Start();
  ASSERT_TRUE(call.WritesDone());
  ExpectNeverStuck(*proxy);
  call.Cancel();
}

TEST_P(StuckTest, CancelEndsABlockedStreamWithAStatusThatSaysWhy) {
  FakeUpstream upstream(Flood);
  auto proxy =
      Proxy(upstream.address(), [](Config& config) { config.stuck.action = StuckAction::kCancel; });
  DownstreamCall call(proxy->channel());
  call.Start();
  ASSERT_TRUE(call.WritesDone());
  EXPECT_TRUE(proxy->AwaitMetric("lanekeeper_streams_terminated_total", {{"cause", "stuck"}}, 1));
  const grpc::Status status = call.End();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("the application did not read for"));
  EXPECT_EQ(proxy->Metric("grpc_server_handled_total", {{"grpc_code", "Aborted"}}), 1);
}

TEST_P(StuckTest, CancelEndsAnRpcThatWaitsForAStreamSlot) {
  FakeUpstream upstream(Echo, 0, OneStream);
  auto proxy =
      Proxy(upstream.address(), [](Config& config) { config.stuck.action = StuckAction::kCancel; });
  DownstreamCall first(proxy->channel());
  first.Start();
  ASSERT_TRUE(first.Write("x"));
  ASSERT_EQ(first.Read(), "x");
  const grpc::Status status = DownstreamCall(proxy->channel()).Start().End();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("allowed no further stream"));
  ASSERT_TRUE(first.Write("y"));
  EXPECT_EQ(first.Read(), "y");
  EXPECT_TRUE(first.End().ok());
}

TEST_P(StuckTest, CancelLeavesASilentUpstreamItsTime) {
  std::atomic<bool> answer{false};
  FakeUpstream upstream([&](UpstreamCall& call) {
    while (call.Read()) {
    }
    EXPECT_TRUE(Eventually([&] { return answer.load(); }));
    call.Write("at last");
  });
  auto proxy =
      Proxy(upstream.address(), [](Config& config) { config.stuck.action = StuckAction::kCancel; });
  DownstreamCall call(proxy->channel());
  call.Start();
  ASSERT_TRUE(call.WritesDone());
  AwaitStuck(*proxy, StallKind::kSilentSender, Direction::kToDownstream);
  ASSERT_TRUE(Eventually([&] {
    const StreamPage page = List(*proxy);
    return !page.streams.empty() && page.streams[0].to_downstream.state_for > 3 * kAfter;
  }));
  answer = true;
  EXPECT_EQ(call.Read(), "at last");
  EXPECT_TRUE(call.End().ok());
}

}  // namespace
}  // namespace lanekeeper::testing

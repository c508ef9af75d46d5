#include "proxy/log/stream_log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "log_testing.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;

StreamSnapshot Stuck() {
  StreamSnapshot stream;
  stream.id = 17;
  stream.method = "/shop.Orders/Watch";
  stream.downstream_peer = "ipv4:127.0.0.1:34567";
  stream.age = 75'250ms;
  stream.deadline_left = 12s;
  stream.to_upstream.state = LaneState::kHalfClosed;
  stream.to_upstream.waiting_for = WaitingFor::kNobody;
  stream.to_upstream.messages = 1;
  stream.to_upstream.bytes = 120;
  stream.to_downstream.state = LaneState::kSending;
  stream.to_downstream.waiting_for = WaitingFor::kReceiver;
  stream.to_downstream.messages = 41;
  stream.to_downstream.bytes = 65'536;
  stream.stall = Stall{StallKind::kSlowReceiver, Direction::kToDownstream, 30'001ms};
  return stream;
}

constexpr const char* kEvidence =
    " id=17 method=/shop.Orders/Watch peer=ipv4:127.0.0.1:34567 kind=slow_receiver "
    "direction=to_downstream lasted_s=30.001 age_s=75.25 to_upstream_state=half_closed "
    "to_upstream_waiting_for=nobody to_upstream_messages=1 to_upstream_bytes=120 "
    "to_downstream_state=sending to_downstream_waiting_for=receiver to_downstream_messages=41 "
    "to_downstream_bytes=65536 deadline_left_s=12\n";

TEST(LogStuck, TellsWhoDoesNotActAndTheEvidence) {
  const KeptLog log(LogFormat::kText);
  RateLimit limit;
  LogStuck(Stuck(), limit);
  EXPECT_EQ(log.LastText(),
            std::string("warn stream is stuck: the application does not read") + kEvidence);
}

TEST(LogStuck, HasAMessageForEachKind) {
  const struct {
    StallKind kind;
    Direction direction;
    const char* message;
  } kCases[] = {
      {StallKind::kSlowReceiver, Direction::kToDownstream, "the application does not read"},
      {StallKind::kSlowReceiver, Direction::kToUpstream, "the upstream does not read"},
      {StallKind::kSilentSender, Direction::kToDownstream, "the upstream has not answered"},
      {StallKind::kStreamSlots, Direction::kToUpstream, "the upstream allows no further stream"},
      {StallKind::kNotConnected, Direction::kToUpstream, "no connection to the upstream"},
      {StallKind::kHalfClosed, Direction::kToDownstream,
       "the requests ended and the upstream has sent nothing since"},
      {StallKind::kUpstreamWindow, Direction::kToUpstream,
       "the upstream's connection window is spent"},
  };
  const KeptLog log(LogFormat::kJson);
  RateLimit limit;
  for (const auto& want : kCases) {
    StreamSnapshot stream = Stuck();
    stream.stall = Stall{want.kind, want.direction, 30s};
    LogStuck(stream, limit);
    const auto line = nlohmann::json::parse(log.lines().back());
    EXPECT_EQ(line["message"], std::string("stream is stuck: ") + want.message);
    EXPECT_EQ(line["kind"], ToLabel(want.kind));
    EXPECT_EQ(line["direction"], ToLabel(want.direction));
  }
}

TEST(LogStuck, NamesStreamsThatHoldTheConnectionsWindow) {
  const KeptLog log(LogFormat::kText);
  RateLimit limit;
  StreamSnapshot stream = Stuck();
  LogStuck(stream, limit);
  EXPECT_EQ(log.LastText().find("window_held_by"), std::string::npos);
  stream.stall->kind = StallKind::kUpstreamWindow;
  stream.window_holders = {12, 15};
  LogStuck(stream, limit);
  EXPECT_NE(log.LastText().find(" window_held_by=12,15 "), std::string::npos) << log.LastText();
  stream.window_holders = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  LogStuck(stream, limit);
  EXPECT_NE(log.LastText().find(" window_held_by=1,2,3,4,5,6,7,8 "), std::string::npos);
}

TEST(LogStuck, SaysNothingOfAStreamThatMoves) {
  const KeptLog log(LogFormat::kText);
  StreamSnapshot stream = Stuck();
  stream.stall.reset();
  RateLimit limit;
  LogStuck(stream, limit);
  EXPECT_TRUE(log.lines().empty());
}

TEST(LogStuck, LeavesOutADeadlineThatThereIsNot) {
  const KeptLog log(LogFormat::kText);
  StreamSnapshot stream = Stuck();
  stream.deadline_left.reset();
  RateLimit limit;
  LogStuck(stream, limit);
  EXPECT_EQ(log.LastText().find("deadline"), std::string::npos);
}

TEST(LogStuck, IsLimited) {
  const KeptLog log(LogFormat::kText);
  RateLimit limit(2, 1);
  // From a time far ahead on, the bucket stays empty for those who come earlier.
  for (int i = 0; i < 3; ++i) static_cast<void>(limit.Pass(RateLimit::Clock::now() + 24h));
  LogStuck(Stuck(), limit);
  LogMovesAgain(Stuck(), *Stuck().stall, limit);
  EXPECT_TRUE(log.lines().empty());
}

TEST(LogStuck, LetsBurstsOfTwentyPass) {
  const auto now = RateLimit::Clock::now();
  for (RateLimit* limit : {&StuckLineLimit(), &MovesAgainLineLimit()}) {
    int passed = 0;
    for (int i = 0; i < 100; ++i) passed += limit->Pass(now) ? 1 : 0;
    EXPECT_EQ(passed, 20);
  }
}

TEST(LogMovesAgain, TellsWhatIsOver) {
  const KeptLog log(LogFormat::kText);
  StreamSnapshot stream = Stuck();
  const Stall was = *stream.stall;
  stream.stall.reset();
  RateLimit limit;
  LogMovesAgain(stream, was, limit);
  EXPECT_EQ(log.LastText(), std::string("info stream moves again") + kEvidence);
}

}  // namespace
}  // namespace lanekeeper

#include "proxy/admin/proto_conversion.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>

#include "tests/unit/admin/fake_control.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;
using lanekeeper::testing::SomeStream;

template <class Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

// Equal fields, and the same fields set.
template <class Message>
void ExpectEqual(const Message& is, const std::string& wanted) {
  EXPECT_EQ(is.DebugString(), FromText<Message>(wanted).DebugString());
}

TEST(ProtoConversionTest, EveryFieldOfAStreamCrosses) {
  StreamSnapshot snapshot = SomeStream(7);
  snapshot.stall = Stall{StallKind::kStreamSlots, Direction::kToDownstream, 31s};
  adminpb::Stream stream;
  ToProto(snapshot, &stream);
  ExpectEqual(stream, R"(
    id: 7 method: "/demo.Echo/Chat" downstream_peer: "ipv4:127.0.0.1:34567"
    started { seconds: 1700000000 nanos: 123000000 } age { seconds: 61 nanos: 5000000 }
    deadline_left { seconds: 2 nanos: 500000000 } thread_kind: KERNEL attempts: 2 answered: true
    to_upstream {
      state: HALF_CLOSED waiting_for: NOBODY state_for { seconds: 3 } messages: 7 bytes: 700
      sender_wait { nanos: 11000000 } receiver_wait { nanos: 12000000 }
    }
    to_downstream {
      state: SENDING waiting_for: RECEIVER state_for { seconds: 4 } messages: 0 bytes: 0
      sender_wait { nanos: 13000000 } receiver_wait { nanos: 14000000 }
    }
    stall { kind: STREAM_SLOTS direction: TO_DOWNSTREAM lasted { seconds: 31 } })");
}

TEST(ProtoConversionTest, AsManyHoldersOfAWindowCrossAsHelp) {
  StreamSnapshot snapshot = SomeStream(7);
  snapshot.stall = Stall{StallKind::kUpstreamWindow, Direction::kToUpstream, 31s};
  snapshot.window_holders = {12, 15};
  adminpb::Stream stream;
  ToProto(snapshot, &stream);
  ExpectEqual(stream.stall(), R"(kind: UPSTREAM_WINDOW direction: TO_UPSTREAM
                                 lasted { seconds: 31 } window_holders: [ 12, 15 ])");
  snapshot.window_holders.assign(1000, 12);
  adminpb::Stream many;
  ToProto(snapshot, &many);
  EXPECT_EQ(many.stall().window_holders_size(), 8);
}

TEST(ProtoConversionTest, ZerosAreSetAndWhatIsNotThereIsNot) {
  StreamSnapshot snapshot;
  snapshot.attempts = 0;
  adminpb::Stream stream;
  ToProto(snapshot, &stream);
  ExpectEqual(stream, R"(
    id: 0 method: "" downstream_peer: "" started {} age {} thread_kind: USER attempts: 0
    answered: false
    to_upstream {
      state: RECEIVING waiting_for: SENDER state_for {} messages: 0 bytes: 0 sender_wait {}
      receiver_wait {}
    }
    to_downstream {
      state: RECEIVING waiting_for: SENDER state_for {} messages: 0 bytes: 0 sender_wait {}
      receiver_wait {}
    })");
}

TEST(ProtoConversionTest, EveryStateOfALaneHasAWordOfItsOwn) {
  StreamSnapshot snapshot;
  adminpb::Stream stream;
  for (int state = 0; state < 4; ++state) {
    snapshot.to_upstream.state = static_cast<LaneState>(state);
    ToProto(snapshot, &stream);
    EXPECT_EQ(static_cast<int>(stream.to_upstream().state()), state + 1);
  }
  for (int kind = 0; kind < static_cast<int>(kStallKinds); ++kind) {
    snapshot.stall = Stall{static_cast<StallKind>(kind), Direction::kToUpstream, 1s};
    ToProto(snapshot, &stream);
    EXPECT_EQ(static_cast<int>(stream.stall().kind()), kind + 1);
    EXPECT_EQ(stream.stall().direction(), adminpb::Stall::TO_UPSTREAM);
  }
  for (int waiting_for = 0; waiting_for < 7; ++waiting_for) {
    snapshot.to_upstream.waiting_for = static_cast<WaitingFor>(waiting_for);
    ToProto(snapshot, &stream);
    EXPECT_EQ(static_cast<int>(stream.to_upstream().waiting_for()), waiting_for);
  }
}

TEST(ProtoConversionTest, TimesBeforeTheEpochKeepTheirNanosPositive) {
  google::protobuf::Timestamp timestamp;
  ToProto(std::chrono::system_clock::time_point(-1ms), &timestamp);
  EXPECT_EQ(timestamp.seconds(), -1);
  EXPECT_EQ(timestamp.nanos(), 999'000'000);
}

TEST(ProtoConversionTest, BytesThatAreNotPrintableAsciiAreEscaped) {
  StreamSnapshot snapshot;
  snapshot.method = "/\xff";
  adminpb::Stream stream;
  ToProto(snapshot, &stream);
  EXPECT_EQ(stream.method(), "/\\xff");
}

TEST(ProtoConversionTest, AFilterCrosses) {
  StreamFilter filter;
  ASSERT_TRUE(FromProto(FromText<adminpb::StreamFilter>(R"(
                          method: "Echo" state: WAITING min_age { seconds: 1 nanos: 5 } stuck: true
                          peer: "127" )"),
                        &filter)
                  .ok());
  EXPECT_EQ(filter.method, "Echo");
  EXPECT_EQ(filter.peer, "127");
  EXPECT_EQ(filter.state, LaneState::kWaiting);
  EXPECT_EQ(filter.min_age, 1s + 5ns);
  EXPECT_TRUE(filter.stuck);
}

TEST(ProtoConversionTest, FiltersThatMeanNothingAreRefused) {
  StreamFilter filter;
  const auto unknown = FromProto(FromText<adminpb::StreamFilter>("state: 77"), &filter);
  EXPECT_EQ(unknown.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(unknown.error_message(), ::testing::HasSubstr("not number 77"));
  const auto negative =
      FromProto(FromText<adminpb::StreamFilter>("min_age { nanos: -1 }"), &filter);
  EXPECT_EQ(negative.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST(ProtoConversionTest, DurationsBeyondWhatWeCanCountAreTheLongestWeCan) {
  EXPECT_EQ(FromProto(FromText<google::protobuf::Duration>("seconds: 9223372036854775807")),
            std::chrono::nanoseconds::max());
  EXPECT_LT(FromProto(FromText<google::protobuf::Duration>("seconds: -9223372036854775807")), 0ns);
}

}  // namespace
}  // namespace lanekeeper

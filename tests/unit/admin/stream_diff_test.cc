#include <gmock/gmock.h>

#include <functional>
#include <utility>

#include "proxy/admin/watch.h"
#include "tests/unit/admin/fake_control.h"

namespace lanekeeper {
namespace {

using ::lanekeeper::admin::v1::StreamEvent;
using lanekeeper::testing::SomeStream;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

using Events = std::vector<std::pair<StreamDiff::Kind, StreamId>>;

class StreamDiffTest : public ::testing::Test {
 protected:
  Events Look(std::vector<StreamSnapshot> now) {
    Events events;
    diff_.Look(
        std::move(now), [this](StreamId id) { return Find(id); },
        [&](StreamDiff::Kind kind, const StreamSnapshot& stream) {
          events.emplace_back(kind, stream.id);
        });
    return events;
  }

  std::optional<StreamSnapshot> Find(StreamId id) const {
    for (const StreamSnapshot& stream : unlisted_) {
      if (stream.id == id) return stream;
    }
    return std::nullopt;
  }

  // What a change of one stream is told as.
  Events After(const std::function<void(StreamSnapshot&)>& change) {
    StreamSnapshot stream = SomeStream(1);
    Look({stream});
    change(stream);
    return Look({stream});
  }

  StreamDiff diff_;
  std::vector<StreamSnapshot> unlisted_;  // open, but not what the watcher has asked for
};

TEST_F(StreamDiffTest, TheFirstLookOpensAll) {
  EXPECT_THAT(Look({SomeStream(3), SomeStream(5)}),
              ElementsAre(Pair(StreamEvent::OPENED, 3), Pair(StreamEvent::OPENED, 5)));
}

TEST_F(StreamDiffTest, NothingNewIsNoEvent) {
  EXPECT_THAT(After([](StreamSnapshot&) {}), IsEmpty());
}

TEST_F(StreamDiffTest, TimePassingIsNoEvent) {
  EXPECT_THAT(After([](StreamSnapshot& stream) {
                stream.age += std::chrono::seconds(1);
                stream.to_upstream.state_for += std::chrono::seconds(1);
                stream.to_downstream.receiver_wait += std::chrono::seconds(1);
              }),
              IsEmpty());
}

TEST_F(StreamDiffTest, StreamsOpenAndEndInBetween) {
  Look({SomeStream(1), SomeStream(2), SomeStream(4)});
  EXPECT_THAT(Look({SomeStream(2), SomeStream(3), SomeStream(5)}),
              ElementsAre(Pair(StreamEvent::ENDED, 1), Pair(StreamEvent::OPENED, 3),
                          Pair(StreamEvent::ENDED, 4), Pair(StreamEvent::OPENED, 5)));
  EXPECT_THAT(Look({}), ElementsAre(Pair(StreamEvent::ENDED, 2), Pair(StreamEvent::ENDED, 3),
                                    Pair(StreamEvent::ENDED, 5)));
}

TEST_F(StreamDiffTest, AnEndedStreamIsAsItWasLastSeen) {
  StreamSnapshot stream = SomeStream(1);
  Look({stream});
  stream.to_upstream.messages = 42;
  Look({stream});
  int64_t messages = 0;
  diff_.Look(
      {}, [this](StreamId id) { return Find(id); },
      [&](StreamDiff::Kind, const StreamSnapshot& ended) {
        messages = ended.to_upstream.messages;
      });
  EXPECT_EQ(messages, 42);
}

TEST_F(StreamDiffTest, AMessageInEitherDirectionIsAChange) {
  EXPECT_THAT(After([](StreamSnapshot& stream) { ++stream.to_upstream.messages; }),
              ElementsAre(Pair(StreamEvent::CHANGED, 1)));
  EXPECT_THAT(After([](StreamSnapshot& stream) { ++stream.to_downstream.messages; }),
              ElementsAre(Pair(StreamEvent::CHANGED, 1)));
}

TEST_F(StreamDiffTest, AnotherStateOfALaneIsAChange) {
  EXPECT_THAT(
      After([](StreamSnapshot& stream) { stream.to_downstream.state = LaneState::kReceiving; }),
      ElementsAre(Pair(StreamEvent::CHANGED, 1)));
  EXPECT_THAT(After([](StreamSnapshot& stream) {
                stream.to_downstream.waiting_for = WaitingFor::kConnection;
              }),
              ElementsAre(Pair(StreamEvent::CHANGED, 1)));
}

TEST_F(StreamDiffTest, AnotherAttemptAndAnAnswerAreChanges) {
  EXPECT_THAT(After([](StreamSnapshot& stream) { ++stream.attempts; }),
              ElementsAre(Pair(StreamEvent::CHANGED, 1)));
  EXPECT_THAT(After([](StreamSnapshot& stream) { stream.answered = !stream.answered; }),
              ElementsAre(Pair(StreamEvent::CHANGED, 1)));
}

TEST_F(StreamDiffTest, BecomingStuckAndMovingAgainAreToldOnce) {
  StreamSnapshot stream = SomeStream(1);
  Look({stream});
  stream.stall = Stall{StallKind::kSlowReceiver, Direction::kToUpstream, std::chrono::seconds(30)};
  EXPECT_THAT(Look({stream}), ElementsAre(Pair(StreamEvent::STUCK, 1)));
  stream.stall->lasted += std::chrono::seconds(1);
  EXPECT_THAT(Look({stream}), IsEmpty());
  stream.stall->kind = StallKind::kHalfClosed;
  EXPECT_THAT(Look({stream}), ElementsAre(Pair(StreamEvent::STUCK, 1)));
  stream.stall.reset();
  ++stream.to_upstream.messages;
  EXPECT_THAT(Look({stream}), ElementsAre(Pair(StreamEvent::MOVING, 1)));
}

TEST_F(StreamDiffTest, WhoWatchesStuckStreamsOnlyIsToldWhenTheyMoveAgain) {
  StreamSnapshot stream = SomeStream(1);
  EXPECT_THAT(Look({}), IsEmpty());
  stream.stall = Stall{StallKind::kSlowReceiver, Direction::kToUpstream, std::chrono::seconds(30)};
  EXPECT_THAT(Look({stream}), ElementsAre(Pair(StreamEvent::STUCK, 1)));
  stream.stall.reset();
  unlisted_ = {stream};
  EXPECT_THAT(Look({}), ElementsAre(Pair(StreamEvent::MOVING, 1)));
  EXPECT_THAT(Look({}), IsEmpty());
}

TEST_F(StreamDiffTest, StreamThatIsNoLongerListedHasChangedWhileItIsOpen) {
  Look({SomeStream(1), SomeStream(2)});
  unlisted_ = {SomeStream(1)};
  EXPECT_THAT(Look({}), ElementsAre(Pair(StreamEvent::CHANGED, 1), Pair(StreamEvent::ENDED, 2)));
}

}  // namespace
}  // namespace lanekeeper

#include "proxy/rpc/attempts.h"

#include <gtest/gtest.h>

#include <string>

namespace lanekeeper {
namespace {

using State = AttemptState;
using Event = AttemptEvent;
using http2::CloseCause;

constexpr uint32_t kRefused = 7;

TEST(AttemptsTest, EveryMoveIsInTheTable) {
  for (const State from : {State::kRecording, State::kReplaying}) {
    EXPECT_EQ(Next(from, Event::kStarted), State::kRecording);
    EXPECT_EQ(Next(from, Event::kNotSeen), State::kReplaying);
    EXPECT_EQ(Next(from, Event::kAnswered), State::kCommitted);
    EXPECT_EQ(Next(from, Event::kOverflow), State::kCommitted);
    EXPECT_EQ(Next(from, Event::kGaveUp), State::kCommitted);
  }
  for (const Event event :
       {Event::kStarted, Event::kNotSeen, Event::kAnswered, Event::kOverflow, Event::kGaveUp}) {
    EXPECT_EQ(Next(State::kCommitted, event), State::kCommitted);
  }
}

class KeptBytes : public ::testing::Test {
 protected:
  SliceQueue Bytes(size_t size) {
    SliceQueue bytes(buffers_);
    const std::string text(size, 'x');
    bytes.AppendCopy(reinterpret_cast<const uint8_t*>(text.data()), text.size());
    return bytes;
  }

  Pool pool_;
  Buffers buffers_{pool_};
  Attempts attempts_{buffers_};
};

TEST_F(KeptBytes, WhatTheUpstreamHasNotSeenMayGoAgain) {
  attempts_.Keep(Bytes(100));
  EXPECT_TRUE(attempts_.TakeAnother(CloseCause::kNotProcessed, 0));
  EXPECT_EQ(attempts_.kept().bytes(), 100u);
}

TEST_F(KeptBytes, WhatMayHaveBeenSeenNeverGoesAgain) {
  EXPECT_FALSE(attempts_.TakeAnother(CloseCause::kConnectionLost, 0));
  EXPECT_FALSE(attempts_.TakeAnother(CloseCause::kPeerReset, 8));
  EXPECT_FALSE(attempts_.TakeAnother(CloseCause::kProtocolError, 1));
}

TEST_F(KeptBytes, ARefusalIsTakenOnce) {
  EXPECT_TRUE(attempts_.TakeAnother(CloseCause::kPeerReset, kRefused));
  EXPECT_FALSE(attempts_.TakeAnother(CloseCause::kPeerReset, kRefused));
}

TEST_F(KeptBytes, NothingGoesAgainOnceItHasBeenAnswered) {
  attempts_.Keep(Bytes(100));
  attempts_.Commit(AttemptEvent::kAnswered);
  EXPECT_EQ(attempts_.kept().bytes(), 0u);
  EXPECT_FALSE(attempts_.TakeAnother(CloseCause::kNotProcessed, 0));
}

TEST_F(KeptBytes, MoreThanTheBoundIsNotKept) {
  attempts_.Keep(Bytes(Attempts::kKeptBytesMax));
  EXPECT_EQ(attempts_.state(), State::kRecording);
  attempts_.Keep(Bytes(1));
  EXPECT_EQ(attempts_.state(), State::kCommitted);
  EXPECT_EQ(attempts_.kept().bytes(), 0u);
}

}  // namespace
}  // namespace lanekeeper

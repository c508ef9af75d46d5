#include <gtest/gtest.h>

#include "proxy/http2/stream.h"

namespace lanekeeper::http2 {
namespace {

using State = StreamState;
using Event = StreamEvent;

// RFC 9113 section 5.1, figure 2.
TEST(StreamStateTest, EveryMoveIsTheOneOfTheRfc) {
  struct Move {
    State from;
    Event event;
    State to;
  };
  const Move moves[] = {
      {State::kIdle, Event::kOpened, State::kOpen},
      {State::kIdle, Event::kLocalEnd, State::kIdle},
      {State::kIdle, Event::kRemoteEnd, State::kIdle},
      {State::kIdle, Event::kClosed, State::kClosed},
      {State::kOpen, Event::kOpened, State::kOpen},
      {State::kOpen, Event::kLocalEnd, State::kHalfClosedLocal},
      {State::kOpen, Event::kRemoteEnd, State::kHalfClosedRemote},
      {State::kOpen, Event::kClosed, State::kClosed},
      {State::kHalfClosedLocal, Event::kOpened, State::kHalfClosedLocal},
      {State::kHalfClosedLocal, Event::kLocalEnd, State::kHalfClosedLocal},
      {State::kHalfClosedLocal, Event::kRemoteEnd, State::kClosed},
      {State::kHalfClosedLocal, Event::kClosed, State::kClosed},
      {State::kHalfClosedRemote, Event::kOpened, State::kHalfClosedRemote},
      {State::kHalfClosedRemote, Event::kLocalEnd, State::kClosed},
      {State::kHalfClosedRemote, Event::kRemoteEnd, State::kHalfClosedRemote},
      {State::kHalfClosedRemote, Event::kClosed, State::kClosed},
      {State::kClosed, Event::kOpened, State::kClosed},
      {State::kClosed, Event::kLocalEnd, State::kClosed},
      {State::kClosed, Event::kRemoteEnd, State::kClosed},
      {State::kClosed, Event::kClosed, State::kClosed},
  };
  for (const Move& move : moves) {
    EXPECT_EQ(Next(move.from, move.event), move.to)
        << static_cast<int>(move.from) << " " << static_cast<int>(move.event);
  }
}

}  // namespace
}  // namespace lanekeeper::http2

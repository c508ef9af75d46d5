#include "proxy/http2/closed_streams.h"

#include <gtest/gtest.h>

namespace lanekeeper::http2 {
namespace {

TEST(ClosedStreamsTest, KnowsNothingOfAStreamThatHasNotClosed) {
  const ClosedStreams closed;
  EXPECT_EQ(closed.Of(1), StreamFate::kNotClosed);
  EXPECT_EQ(closed.Of(0x7fffffff), StreamFate::kNotClosed);
}

TEST(ClosedStreamsTest, WhatThePeerDidCountsForMoreThanWhatWeDid) {
  ClosedStreams closed;
  closed.AddPeers(1, StreamFate::kEndedByPeer);
  closed.AddOurs(1);
  EXPECT_EQ(closed.Of(1), StreamFate::kEndedByPeer);
  closed.AddOurs(3);
  EXPECT_EQ(closed.Of(3), StreamFate::kResetByUs);
  closed.AddPeers(3, StreamFate::kResetByPeer);
  EXPECT_EQ(closed.Of(3), StreamFate::kResetByPeer);
}

TEST(ClosedStreamsTest, ForgetsOldStreamsAndNeverMistakesOneForAnother) {
  ClosedStreams closed;
  for (int32_t id = 1; id < 2000; id += 2) closed.AddPeers(id, StreamFate::kEndedByPeer);
  EXPECT_EQ(closed.Of(1), StreamFate::kForgotten);
  EXPECT_EQ(closed.Of(1999), StreamFate::kEndedByPeer);
  EXPECT_EQ(closed.Of(2001), StreamFate::kNotClosed);
  // One that was open for long closes last.
  closed.AddOurs(3);
  EXPECT_EQ(closed.Of(3), StreamFate::kForgotten);
}

}  // namespace
}  // namespace lanekeeper::http2

#include "proxy/cli/stream_text.h"

#include <gtest/gtest.h>

#include "tests/unit/cli/sample_streams.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;
namespace v1 = admin::v1;

TEST(LaneText, SaysForWhomItWaitsAndHowLong) {
  EXPECT_EQ(LaneStateText(MakeLane(v1::Lane::SENDING, v1::RECEIVER, 31s)), "sending: receiver 31s");
  EXPECT_EQ(LaneStateText(MakeLane(v1::Lane::RECEIVING, v1::SENDER, 200ms)),
            "receiving: sender 200ms");
  EXPECT_EQ(LaneStateText(MakeLane(v1::Lane::WAITING, v1::STREAM_SLOT, 4s)),
            "waiting: stream_slot 4s");
  EXPECT_EQ(LaneStateText(MakeLane(v1::Lane::SENDING, v1::CONNECTION_WINDOW, 4s)),
            "sending: connection_window 4s");
  EXPECT_EQ(LaneStateText(MakeLane(v1::Lane::WAITING, v1::ADMISSION, 4s)), "waiting: admission 4s");
  EXPECT_EQ(LaneStateText(MakeLane(v1::Lane::HALF_CLOSED, v1::NOBODY, 312s)), "half_closed 5m12s");
}

TEST(LaneText, CountsMessagesAndBytes) {
  EXPECT_EQ(LaneCountText(MakeLane(v1::Lane::SENDING, v1::RECEIVER, 31s, 12, 1258291)),
            "12 msg 1.2MiB");
}

TEST(StallText, SaysKindDirectionAndTime) {
  EXPECT_EQ(StallText(StuckStream(17, 31s)), "slow_receiver to_downstream 31s");
  EXPECT_EQ(StallText(IdleStream(17, 31s)), "");
}

TEST(StallText, NamesTheStreamsThatHoldTheConnectionsWindow) {
  v1::Stream stream = StuckStream(17, 31s);
  v1::Stall& stall = *stream.mutable_stall();
  stall.set_kind(v1::Stall::UPSTREAM_WINDOW);
  stall.set_direction(v1::Stall::TO_UPSTREAM);
  EXPECT_EQ(StallText(stream), "upstream_window to_upstream 31s");
  stall.add_window_holders(12);
  EXPECT_EQ(StallText(stream), "upstream_window to_upstream 31s, held by stream 12");
  stall.add_window_holders(15);
  EXPECT_EQ(StallText(stream), "upstream_window to_upstream 31s, held by streams 12, 15");
}

TEST(PeerText, KeepsAllButTheUsualScheme) {
  v1::Stream stream;
  stream.set_downstream_peer("ipv4:127.0.0.1:34567");
  EXPECT_EQ(PeerText(stream), "127.0.0.1:34567");
  stream.set_downstream_peer("ipv6:[::1]:34567");
  EXPECT_EQ(PeerText(stream), "ipv6:[::1]:34567");
  stream.set_downstream_peer("unix:");
  EXPECT_EQ(PeerText(stream), "unix:");
}

TEST(StreamDetails, ShowEverything) {
  v1::Stream stream = StuckStream(17, 31s);
  stream.mutable_started()->set_seconds(1795338001);
  stream.mutable_started()->set_nanos(938752865);
  *stream.mutable_deadline_left() = ToProto(90s);
  *stream.mutable_to_downstream()->mutable_receiver_wait() = ToProto(33s);
  EXPECT_EQ(StreamDetails(stream),
            "id            17\n"
            "method        /shop.Orders/Watch\n"
            "peer          ipv4:127.0.0.1:40002\n"
            "started       2026-11-22T09:00:01Z, 5m12s ago\n"
            "deadline      in 1m30s\n"
            "thread        user\n"
            "attempts      1\n"
            "answered      yes\n"
            "to_upstream   half_closed 5m12s\n"
            "              1 msg 120B\n"
            "              waited 0ms for the sender, 0ms for the receiver\n"
            "to_downstream sending: receiver 31s\n"
            "              12 msg 1.2MiB\n"
            "              waited 0ms for the sender, 33s for the receiver\n"
            "stuck         STUCK slow_receiver to_downstream 31s\n");
}

TEST(TotalsText, CountsStreamsAndConnections) {
  v1::Totals totals = SampleTotals();
  EXPECT_EQ(OpenStreamsText(totals),
            "120 streams open, 1 stuck, 10 half-closed, 0 awaiting the upstream");
  EXPECT_EQ(FanInText(totals), "50 connections -> 1 upstream connection (ready)");
  totals.set_draining(true);
  EXPECT_EQ(FanInText(totals), "50 connections -> 1 upstream connection (ready), draining");
}

TEST(EventText, SaysWhatHasHappened) {
  v1::StreamEvent event;
  *event.mutable_stream() = StuckStream(17, 31s);
  event.set_kind(v1::StreamEvent::OPENED);
  EXPECT_EQ(EventText(event), "opened 17 /shop.Orders/Watch from 127.0.0.1:40002, open for 5m12s");
  event.set_kind(v1::StreamEvent::STUCK);
  EXPECT_EQ(EventText(event), "stuck 17 /shop.Orders/Watch slow_receiver to_downstream 31s");
  event.set_kind(v1::StreamEvent::ENDED);
  EXPECT_EQ(EventText(event),
            "ended 17 /shop.Orders/Watch after 5m12s: to_upstream 1 msg 120B; "
            "to_downstream 12 msg 1.2MiB");
  for (const auto kind : {v1::StreamEvent::CHANGED, v1::StreamEvent::MOVING}) {
    event.set_kind(kind);
    EXPECT_EQ(EventText(event),
              WordOf(kind) +
                  " 17 /shop.Orders/Watch to_upstream half_closed 5m12s, 1 msg 120B; "
                  "to_downstream sending: receiver 31s, 12 msg 1.2MiB");
  }
}

TEST(EventText, IsOneLineWhateverTheMethod) {
  v1::StreamEvent event;
  event.mutable_stream()->set_method("/a\n\x1b[31m");
  event.set_kind(v1::StreamEvent::STUCK);
  EXPECT_EQ(EventText(event), "stuck 0 /a\\x0a\\x1b[31m ");
}

}  // namespace
}  // namespace lanekeeper

#include "proxy/cli/top_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/cli/format.h"
#include "tests/unit/cli/sample_streams.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
namespace v1 = admin::v1;

v1::Stream WaitingStream(uint64_t id, std::chrono::milliseconds waited) {
  v1::Stream stream = IdleStream(id, waited);
  *stream.mutable_to_upstream() = MakeLane(v1::Lane::WAITING, v1::STREAM_SLOT, waited);
  return stream;
}

std::vector<uint64_t> Ids(const std::vector<v1::Stream>& streams) {
  std::vector<uint64_t> ids;
  for (const v1::Stream& stream : streams) ids.push_back(stream.id());
  return ids;
}

TopView SampleView() {
  return {.address = "127.0.0.1:9465",
          .totals = SampleTotals(),
          .rates = Rates{84.4, 1200, 2400.6, 1258291, 3 * 1258291},
          .streams = {StuckStream(3, 31s), IdleStream(17, 1500ms)}};
}

TEST(SortByWait, PutsStuckBeforeNotTakenBeforeIdleAndTheLongestFirst) {
  std::vector<v1::Stream> streams = {IdleStream(1, 5s),    WaitingStream(2, 1s),
                                     StuckStream(3, 31s),  IdleStream(4, 500s),
                                     WaitingStream(5, 9s), StuckStream(6, 40s)};
  SortByWait(&streams);
  EXPECT_THAT(Ids(streams), ElementsAre(6, 3, 5, 2, 4, 1));
}

TEST(SortByWait, DoesNotCountTheTimeSinceAHalfClose) {
  v1::Stream half_closed = IdleStream(1, 1s);
  *half_closed.mutable_to_upstream() = MakeLane(v1::Lane::HALF_CLOSED, v1::NOBODY, 900s);
  std::vector<v1::Stream> streams = {half_closed, IdleStream(2, 5s)};
  SortByWait(&streams);
  EXPECT_THAT(Ids(streams), ElementsAre(2, 1));
}

TEST(TopFrame, BeginsWithTheWholeProcess) {
  const std::vector<std::string> lines = TopFrame(SampleView(), {});
  ASSERT_EQ(lines.size(), 8);
  EXPECT_EQ(lines[0], "lanekeeper at 127.0.0.1:9465, upstream dns:///orders.shop.svc:50051");
  EXPECT_EQ(lines[1], "50 connections -> 1 upstream connection (ready)");
  EXPECT_EQ(lines[2], "120 streams open, 1 stuck, 10 half-closed, 0 awaiting the upstream");
  EXPECT_EQ(lines[3],
            "per second: 84 RPCs; to_upstream 1200 msg 1.2MiB; to_downstream 2401 msg 3.6MiB");
  EXPECT_EQ(lines[4], "");
  EXPECT_THAT(lines[5], StartsWith("ID  METHOD"));
  EXPECT_THAT(lines[6], HasSubstr("STUCK slow_receiver to_downstream 31s"));
}

TEST(TopFrame, HasNoRatesAtTheFirstLook) {
  TopView view = SampleView();
  view.rates.reset();
  EXPECT_EQ(TopFrame(view, {})[3], "per second: at the second look");
}

TEST(TopFrame, FitsEveryScreen) {
  TopView view = SampleView();
  for (uint64_t id = 100; id < 200; ++id) view.streams.push_back(IdleStream(id, 1s));
  for (size_t height = 0; height < 40; ++height) {
    for (size_t width = 0; width < 250; width += 7) {
      const Screen screen = {.is_terminal = true, .width = width, .height = height};
      const std::vector<std::string> lines = TopFrame(view, screen);
      EXPECT_LE(lines.size(), height);
      for (const std::string& line : lines) EXPECT_LE(Width(line), width);
    }
  }
}

TEST(TopFrame, ColoursOnlyWhatIsStuck) {
  const Screen screen = {.is_terminal = true, .colours = true, .width = 250, .height = 40};
  const std::vector<std::string> lines = TopFrame(SampleView(), screen);
  EXPECT_THAT(lines[6], StartsWith("\x1b[31m"));
  EXPECT_THAT(lines[7], StartsWith("17"));
}

}  // namespace
}  // namespace lanekeeper

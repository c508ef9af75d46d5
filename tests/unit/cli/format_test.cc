#include "proxy/cli/format.h"

#include <gtest/gtest.h>

#include "proxy/base/proto.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;

TEST(FormatAge, ShowsTwoUnitsAtMost) {
  EXPECT_EQ(FormatAge(0ms), "0ms");
  EXPECT_EQ(FormatAge(999999us), "999ms");
  EXPECT_EQ(FormatAge(1s), "1s");
  EXPECT_EQ(FormatAge(59999ms), "59s");
  EXPECT_EQ(FormatAge(60s), "1m00s");
  EXPECT_EQ(FormatAge(312s), "5m12s");
  EXPECT_EQ(FormatAge(3h + 4min + 59s), "3h04m");
  EXPECT_EQ(FormatAge(51h), "2d03h");
}

TEST(FormatAge, TakesTheFutureForNow) { EXPECT_EQ(FormatAge(-5s), "0ms"); }

TEST(FormatAge, SurvivesTheLongestDurationThatCanBeSent) {
  google::protobuf::Duration duration;
  duration.set_seconds(INT64_MAX);
  EXPECT_EQ(FormatAge(duration), "106751d23h");
  duration.set_seconds(INT64_MIN);
  EXPECT_EQ(FormatAge(duration), "0ms");
}

TEST(ToProto, GivesBackWhatItTook) {
  EXPECT_EQ(FromProto(ToProto(1500ms)), 1500ms);
  EXPECT_EQ(FromProto(ToProto(0ms)), 0ms);
}

TEST(FormatBytes, ChangesTheUnitBeforeFourDigits) {
  EXPECT_EQ(FormatBytes(0), "0B");
  EXPECT_EQ(FormatBytes(1023), "1023B");
  EXPECT_EQ(FormatBytes(1024), "1.0KiB");
  EXPECT_EQ(FormatBytes(1258291), "1.2MiB");
  EXPECT_EQ(FormatBytes(1024 * 1024 - 1), "1.0MiB");
  EXPECT_EQ(FormatBytes(UINT64_MAX), "16.0EiB");
}

TEST(Counted, HasASingular) {
  EXPECT_EQ(Counted(0, "stream"), "0 streams");
  EXPECT_EQ(Counted(1, "stream"), "1 stream");
  EXPECT_EQ(Counted(50, "stream"), "50 streams");
}

TEST(Escape, LetsNothingSteerTheTerminal) {
  EXPECT_EQ(Escape("/shop.Orders/Watch"), "/shop.Orders/Watch");
  EXPECT_EQ(Escape("/a\x1b[2J\n/b"), R"(/a\x1b[2J\x0a/b)");
  EXPECT_EQ(Escape(std::string_view("\0\x7f", 2)), R"(\x00\x7f)");
  // One byte that begins an escape sequence on some terminals, and a right-to-left override.
  EXPECT_EQ(Escape("\x9b"), R"(\x9b)");
  EXPECT_EQ(Escape("\u202e"), R"(\xe2\x80\xae)");
}

TEST(Escape, CannotBeImitated) { EXPECT_EQ(Escape(R"(\x1b)"), R"(\\x1b)"); }

TEST(CutMiddle, KeepsBothEnds) {
  EXPECT_EQ(CutMiddle("/shop.Orders/Watch", 18), "/shop.Orders/Watch");
  EXPECT_EQ(CutMiddle("/shop.Orders/Watch", 11), "/shop…Watch");
  EXPECT_EQ(CutMiddle("/shop.Orders/Watch", 1), "…");
  EXPECT_EQ(CutMiddle("/shop.Orders/Watch", 0), "");
  for (size_t width = 1; width < 20; ++width) {
    EXPECT_EQ(Width(CutMiddle("/shop.Orders/Watch", width)), std::min<size_t>(width, 18));
  }
}

TEST(CutRight, KeepsCharactersWhole) {
  EXPECT_EQ(CutRight("a…b", 3), "a…b");
  EXPECT_EQ(CutRight("a…b", 2), "a…");
  EXPECT_EQ(CutRight("a…b", 1), "a");
  EXPECT_EQ(CutRight("a…b", 0), "");
}

}  // namespace
}  // namespace lanekeeper

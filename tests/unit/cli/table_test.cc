#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "proxy/cli/format.h"
#include "proxy/cli/stream_text.h"

namespace lanekeeper {
namespace {

using testing::ElementsAre;

constexpr size_t kNoScreen = std::numeric_limits<size_t>::max();

std::vector<Column> Columns() {
  return {{.title = "ID", .right = true},
          {.title = "METHOD", .shrinks_to = 9},
          {.title = "STATE"},
          {.title = "", .right = true, .joined = true}};
}

const std::vector<std::string> kRow = {"17", "/shop.Orders/Watch", "sending", "12 msg"};

TEST(Table, LinesUpWhatItHasMeasured) {
  Table table(Columns(), kNoScreen);
  table.Measure(kRow);
  table.Measure({"1000", "/a", "waiting: connection", "1 msg"});
  EXPECT_THAT(table.RenderTitles(), ElementsAre("  ID  METHOD              STATE"));
  EXPECT_THAT(table.Render(kRow),
              ElementsAre("  17  /shop.Orders/Watch  sending              12 msg"));
  EXPECT_THAT(table.Render({"1000", "/a", "waiting: connection", "1 msg"}),
              ElementsAre("1000  /a                  waiting: connection   1 msg"));
}

TEST(Table, CutsNothingWithoutAScreen) {
  Table table(Columns(), kNoScreen);
  const std::string method(5000, 'm');
  table.Measure({"1", method, "s", ""});
  EXPECT_THAT(table.Render({"1", method, "s", ""}), ElementsAre(" 1  " + method + "  s"));
}

TEST(Table, CutsTheMethodToFit) {
  Table table(Columns(), 32);
  table.Measure(kRow);
  EXPECT_THAT(table.Render(kRow), ElementsAre("17  /shop…Watch  sending  12 msg"));
}

TEST(Table, BreaksTheLineWhereCuttingIsNotEnough) {
  Table table(Columns(), 22);
  table.Measure(kRow);
  EXPECT_THAT(table.RenderTitles(), ElementsAre("ID  METHOD", "    STATE"));
  EXPECT_THAT(table.Render(kRow), ElementsAre("17  /shop.Orders/Watch", "    sending  12 msg"));
}

TEST(Table, CutsInABrokenLineNoMoreThanNeeded) {
  Table table(Columns(), 20);
  table.Measure(kRow);
  EXPECT_THAT(table.Render(kRow), ElementsAre("17  /shop.O…rs/Watch", "    sending  12 msg"));
}

TEST(Table, LeavesOutEmptyLines) {
  Table table(Columns(), 22);
  table.Measure(kRow);
  EXPECT_THAT(table.Render({"17", "/a", "", ""}), ElementsAre("17  /a"));
}

TEST(Table, NeverExceedsTheScreen) {
  for (size_t width = 0; width < 50; ++width) {
    Table table(Columns(), width);
    table.Measure(kRow);
    for (const std::string& line : table.Render(kRow)) EXPECT_LE(Width(line), width);
    for (const std::string& line : table.RenderTitles()) EXPECT_LE(Width(line), width);
  }
}

}  // namespace
}  // namespace lanekeeper

#include "proxy/cli/stream_table.h"

#include <fmt/format.h>

#include "proxy/cli/format.h"
#include "proxy/cli/stream_text.h"

namespace lanekeeper {
namespace {

constexpr char kBold[] = "\x1b[1m";
constexpr char kRed[] = "\x1b[31m";
constexpr char kPlain[] = "\x1b[0m";

std::vector<Column> Columns() {
  return {
      {.title = "ID", .right = true},
      {.title = "METHOD", .shrinks_to = 20},
      {.title = "PEER", .shrinks_to = 15},
      {.title = "AGE", .right = true},
      {.title = "TO_UPSTREAM"},
      {.title = "", .right = true, .joined = true},
      {.title = "", .right = true, .joined = true},
      {.title = "TO_DOWNSTREAM"},
      {.title = "", .right = true, .joined = true},
      {.title = "", .right = true, .joined = true},
      {.title = ""},
  };
}

void AddLane(const admin::v1::Lane& lane, std::vector<std::string>* cells) {
  cells->push_back(LaneStateText(lane));
  cells->push_back(fmt::format("{} msg", lane.messages()));
  cells->push_back(FormatBytes(lane.bytes()));
}

std::vector<std::string> Cells(const admin::v1::Stream& stream) {
  std::vector<std::string> cells = {std::to_string(stream.id()), Escape(stream.method()),
                                    PeerText(stream), FormatAge(stream.age())};
  AddLane(stream.to_upstream(), &cells);
  AddLane(stream.to_downstream(), &cells);
  cells.push_back(stream.has_stall() ? "STUCK " + StallText(stream) : "");
  return cells;
}

}  // namespace

StreamTable::StreamTable(const Screen& screen) : screen_(screen), table_(Columns(), screen.width) {}

void StreamTable::Measure(const admin::v1::Stream& stream) { table_.Measure(Cells(stream)); }

std::vector<std::string> StreamTable::Titles() const {
  return Coloured(table_.RenderTitles(), kBold);
}

std::vector<std::string> StreamTable::Row(const admin::v1::Stream& stream) const {
  std::vector<std::string> lines = table_.Render(Cells(stream));
  return stream.has_stall() ? Coloured(std::move(lines), kRed) : lines;
}

std::vector<std::string> StreamTable::Coloured(std::vector<std::string> lines,
                                               const char* colour) const {
  if (!screen_.colours) return lines;
  for (std::string& line : lines) line = colour + line + kPlain;
  return lines;
}

}  // namespace lanekeeper

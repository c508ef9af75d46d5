#include "proxy/cli/stream_text.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "proxy/base/proto.h"
#include "proxy/cli/format.h"

namespace lanekeeper {
namespace {

namespace v1 = admin::v1;

std::string LaneText(const v1::Lane& lane) {
  return fmt::format("{}, {}", LaneStateText(lane), LaneCountText(lane));
}

std::string LaneDetails(std::string_view name, const v1::Lane& lane) {
  return fmt::format("{:<14}{}\n{:14}{}\n{:14}waited {} for the sender, {} for the receiver\n",
                     name, LaneStateText(lane), "", LaneCountText(lane), "",
                     FormatAge(lane.sender_wait()), FormatAge(lane.receiver_wait()));
}

std::string HoldersText(const v1::Stall& stall) {
  if (stall.window_holders().empty()) return "";
  return fmt::format(", held by stream{} {}", stall.window_holders_size() == 1 ? "" : "s",
                     fmt::join(stall.window_holders(), ", "));
}

std::string What(const v1::StreamEvent& event) {
  const v1::Stream& stream = event.stream();
  switch (event.kind()) {
    case v1::StreamEvent::OPENED:
      return fmt::format("from {}, open for {}", PeerText(stream), FormatAge(stream.age()));
    case v1::StreamEvent::STUCK:
      return StallText(stream);
    case v1::StreamEvent::ENDED:
      return fmt::format("after {}: to_upstream {}; to_downstream {}", FormatAge(stream.age()),
                         LaneCountText(stream.to_upstream()),
                         LaneCountText(stream.to_downstream()));
    default:
      return fmt::format("to_upstream {}; to_downstream {}", LaneText(stream.to_upstream()),
                         LaneText(stream.to_downstream()));
  }
}

constexpr size_t kGap = 2;
constexpr size_t kIndent = 4;

std::string Pad(const std::string& text, size_t width, bool right) {
  const std::string blanks(width - std::min(width, Width(text)), ' ');
  return right ? blanks + text : text + blanks;
}

void TrimRight(std::string* line) { line->erase(line->find_last_not_of(' ') + 1); }

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

void AddLane(const v1::Lane& lane, std::vector<std::string>* cells) {
  cells->push_back(LaneStateText(lane));
  cells->push_back(fmt::format("{} msg", lane.messages()));
  cells->push_back(FormatBytes(lane.bytes()));
}

std::vector<std::string> Cells(const v1::Stream& stream) {
  std::vector<std::string> cells = {std::to_string(stream.id()), Escape(stream.method()),
                                    PeerText(stream), FormatAge(stream.age())};
  AddLane(stream.to_upstream(), &cells);
  AddLane(stream.to_downstream(), &cells);
  cells.push_back(stream.has_stall() ? "STUCK " + StallText(stream) : "");
  return cells;
}

}  // namespace

std::string LaneStateText(const v1::Lane& lane) {
  const bool waits = lane.waiting_for() != v1::NOBODY;
  return fmt::format("{}{}{} {}", WordOf(lane.state()), waits ? ": " : "",
                     waits ? WordOf(lane.waiting_for()) : "", FormatAge(lane.state_for()));
}

std::string LaneCountText(const v1::Lane& lane) {
  return fmt::format("{} msg {}", lane.messages(), FormatBytes(lane.bytes()));
}

std::string StallText(const v1::Stream& stream) {
  if (!stream.has_stall()) return "";
  const v1::Stall& stall = stream.stall();
  return fmt::format("{} {} {}{}", WordOf(stall.kind()), WordOf(stall.direction()),
                     FormatAge(stall.lasted()), HoldersText(stall));
}

std::string PeerText(const v1::Stream& stream) {
  constexpr std::string_view kUsual = "ipv4:";
  const std::string& peer = stream.downstream_peer();
  return Escape(peer.rfind(kUsual, 0) == 0 ? peer.substr(kUsual.size()) : peer);
}

std::string StreamDetails(const v1::Stream& stream) {
  std::string text = fmt::format("{:<14}{}\n", "id", stream.id());
  const auto add = [&text](std::string_view name, const std::string& value) {
    text += fmt::format("{:<14}{}\n", name, value);
  };
  add("method", Escape(stream.method()));
  add("peer", Escape(stream.downstream_peer()));
  google::protobuf::Timestamp started = stream.started();
  started.set_nanos(0);
  add("started", fmt::format("{}, {} ago", google::protobuf::util::TimeUtil::ToString(started),
                             FormatAge(stream.age())));
  add("deadline", stream.has_deadline_left() ? "in " + FormatAge(stream.deadline_left()) : "none");
  add("thread", WordOf(stream.thread_kind()));
  add("attempts", std::to_string(stream.attempts()));
  add("answered", stream.answered() ? "yes" : "no");
  text += LaneDetails("to_upstream", stream.to_upstream());
  text += LaneDetails("to_downstream", stream.to_downstream());
  add("stuck", stream.has_stall() ? "STUCK " + StallText(stream) : "no");
  return text;
}

std::string OpenStreamsText(const v1::Totals& totals) {
  return fmt::format("{} open, {} stuck, {} half-closed, {} awaiting the upstream",
                     Counted(totals.streams_open(), "stream"), totals.streams_stuck(),
                     totals.streams_half_closed(), totals.streams_awaiting_upstream());
}

std::string FanInText(const v1::Totals& totals) {
  return fmt::format("{} -> {} ({}){}", Counted(totals.downstream_connections(), "connection"),
                     Counted(totals.upstream_connections(), "upstream connection"),
                     Escape(totals.upstream_state()), totals.draining() ? ", draining" : "");
}

std::string EventText(const v1::StreamEvent& event) {
  return fmt::format("{} {} {} {}", WordOf(event.kind()), event.stream().id(),
                     Escape(event.stream().method()), What(event));
}

Table::Table(std::vector<Column> columns, size_t screen_width)
    : columns_(std::move(columns)), widths_(columns_.size()), screen_width_(screen_width) {
  for (size_t i = 0; i < columns_.size(); ++i) widths_[i] = Width(columns_[i].title);
}

void Table::Measure(const std::vector<std::string>& row) {
  for (size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], Width(row[i]));
}

std::vector<size_t> Table::FittedWidths() const {
  std::vector<size_t> widths = widths_;
  size_t total = std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
  for (size_t i = 0; i < widths.size() && total > screen_width_; ++i) {
    if (columns_[i].shrinks_to == 0 || widths[i] <= columns_[i].shrinks_to) continue;
    const size_t cut = std::min(total - screen_width_, widths[i] - columns_[i].shrinks_to);
    widths[i] -= cut;
    total -= cut;
  }
  return widths;
}

std::vector<bool> Table::Breaks(const std::vector<size_t>& widths) const {
  std::vector<bool> breaks(widths.size());
  size_t used = 0;
  for (size_t begin = 0, end = 0; begin < widths.size(); begin = end) {
    size_t group = widths[begin];
    for (end = begin + 1; end < widths.size() && columns_[end].joined; ++end) {
      group += kGap + widths[end];
    }
    breaks[begin] = begin > 0 && used + kGap + group > screen_width_;
    used = breaks[begin] ? kIndent + group : used + (begin > 0 ? kGap : 0) + group;
  }
  return breaks;
}

void Table::GiveBack(const std::vector<bool>& breaks, std::vector<size_t>* widths) const {
  for (size_t begin = 0, end = 0; begin < widths->size(); begin = end) {
    size_t used = (begin > 0 ? kIndent : 0) + (*widths)[begin];
    for (end = begin + 1; end < widths->size() && !breaks[end]; ++end) {
      used += kGap + (*widths)[end];
    }
    size_t spare = screen_width_ - std::min(screen_width_, used);
    for (size_t i = begin; i < end; ++i) {
      const size_t grown = std::min(spare, widths_[i] - (*widths)[i]);
      (*widths)[i] += grown;
      spare -= grown;
    }
  }
}

std::vector<std::string> Table::Render(const std::vector<std::string>& row) const {
  std::vector<size_t> widths = FittedWidths();
  const std::vector<bool> breaks = Breaks(widths);
  GiveBack(breaks, &widths);
  std::vector<std::string> lines(1);
  for (size_t i = 0; i < row.size(); ++i) {
    if (breaks[i])
      lines.emplace_back(kIndent, ' ');
    else if (i > 0)
      lines.back().append(kGap, ' ');
    const bool cut = columns_[i].shrinks_to > 0 && Width(row[i]) > widths[i];
    lines.back() += Pad(cut ? CutMiddle(row[i], widths[i]) : row[i], widths[i], columns_[i].right);
  }
  for (std::string& line : lines) {
    line = CutRight(line, screen_width_);
    TrimRight(&line);
  }
  std::erase(lines, "");
  return lines;
}

std::vector<std::string> Table::RenderTitles() const {
  std::vector<std::string> titles;
  titles.reserve(columns_.size());
  for (const Column& column : columns_) titles.push_back(column.title);
  return Render(titles);
}

StreamTable::StreamTable(const Screen& screen) : screen_(screen), table_(Columns(), screen.width) {}

void StreamTable::Measure(const v1::Stream& stream) { table_.Measure(Cells(stream)); }

std::vector<std::string> StreamTable::Titles() const {
  return Coloured(table_.RenderTitles(), kBold);
}

std::vector<std::string> StreamTable::Row(const v1::Stream& stream) const {
  std::vector<std::string> lines = table_.Render(Cells(stream));
  return stream.has_stall() ? Coloured(std::move(lines), kRed) : lines;
}

std::vector<std::string> StreamTable::Coloured(std::vector<std::string> lines,
                                               const char* colour) const {
  if (!screen_.colours) return lines;
  for (std::string& line : lines) line.insert(0, colour).append(kPlain);
  return lines;
}

}  // namespace lanekeeper

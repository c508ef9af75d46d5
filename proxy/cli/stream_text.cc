#include "proxy/cli/stream_text.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include "proxy/base/proto.h"
#include "proxy/cli/format.h"

namespace lanekeeper {
namespace {

namespace v1 = admin::v1;

std::string LaneText(const v1::Lane& lane) {
  return fmt::format("{}, {}", LaneStateText(lane), LaneCountText(lane));
}

std::string LanesText(const v1::Stream& stream) {
  return fmt::format("to_upstream {}; to_downstream {}", LaneText(stream.to_upstream()),
                     LaneText(stream.to_downstream()));
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
      return LanesText(stream);
  }
}

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
  for (std::string& line : lines) line = colour + line + kPlain;
  return lines;
}

}  // namespace lanekeeper

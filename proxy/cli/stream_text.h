// What the admin API says about streams, as text for people: escaped, in plain ASCII. Pure
// functions; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "protos/lanekeeper/admin/v1/admin.pb.h"
#include "proxy/cli/output.h"

namespace lanekeeper {

// "sending: receiver 31s", "half_closed 5m12s".
std::string LaneStateText(const admin::v1::Lane& lane);
// "12 msg 1.2MiB".
std::string LaneCountText(const admin::v1::Lane& lane);
// "slow_receiver to_downstream 31s", "upstream_window to_upstream 31s, held by streams 12, 15";
// empty when the stream is not stuck.
std::string StallText(const admin::v1::Stream& stream);
// The downstream's address without the "ipv4:" that nearly all begin with.
std::string PeerText(const admin::v1::Stream& stream);

// Several lines: everything that is known of it.
std::string StreamDetails(const admin::v1::Stream& stream);

// "120 streams open, 3 stuck, 10 half-closed, 0 awaiting the upstream".
std::string OpenStreamsText(const admin::v1::Totals& totals);
// "50 connections -> 1 upstream connection (ready)".
std::string FanInText(const admin::v1::Totals& totals);

// "stuck 17 /shop.Orders/Watch slow_receiver to_downstream 31s".
std::string EventText(const admin::v1::StreamEvent& event);

struct Column {
  std::string title;
  bool right = false;     // numbers
  bool joined = false;    // stays on one line with the column before it
  size_t shrinks_to = 0;  // cut in the middle down to this width to fit a line; 0: never cut
};

// Lines of columns for a screen of a certain width. Owns the widths, which only grow, so that pages
// printed one after the other line up; one thread.
class Table {
 public:
  Table(std::vector<Column> columns, size_t screen_width);

  // Widens the columns for a row that is going to be rendered.
  void Measure(const std::vector<std::string>& row);

  // One line, or, where the screen is too narrow for all columns, several, of which all but the
  // first are indented. Without trailing blanks and empty lines.
  std::vector<std::string> Render(const std::vector<std::string>& row) const;
  std::vector<std::string> RenderTitles() const;

 private:
  std::vector<size_t> FittedWidths() const;
  // Where new lines begin.
  std::vector<bool> Breaks(const std::vector<size_t>& widths) const;
  // To columns that were cut, what the other columns of their line leave over.
  void GiveBack(const std::vector<bool>& breaks, std::vector<size_t>* widths) const;

  std::vector<Column> columns_;
  std::vector<size_t> widths_;
  size_t screen_width_;
};

// Streams as a table, one row each: the ones that are stuck say so in words, and in colour where
// the screen has some. One thread.
class StreamTable {
 public:
  explicit StreamTable(const Screen& screen);

  void Measure(const admin::v1::Stream& stream);

  // Finished lines without line ends.
  std::vector<std::string> Titles() const;
  std::vector<std::string> Row(const admin::v1::Stream& stream) const;

 private:
  std::vector<std::string> Coloured(std::vector<std::string> lines, const char* colour) const;

  Screen screen_;
  Table table_;
};

}  // namespace lanekeeper

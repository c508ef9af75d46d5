// Lines of columns for a screen of a certain width. Owns the widths, which only grow, so that
// pages printed one after the other line up; one thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace lanekeeper {

struct Column {
  std::string title;
  bool right = false;     // numbers
  bool joined = false;    // stays on one line with the column before it
  size_t shrinks_to = 0;  // cut in the middle down to this width to fit a line; 0: never cut
};

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

}  // namespace lanekeeper

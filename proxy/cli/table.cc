#include "proxy/cli/table.h"

#include <algorithm>
#include <numeric>

#include "proxy/cli/format.h"

namespace lanekeeper {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kIndent = 4;

std::string Pad(const std::string& text, size_t width, bool right) {
  const std::string blanks(width - std::min(width, Width(text)), ' ');
  return right ? blanks + text : text + blanks;
}

void TrimRight(std::string* line) { line->erase(line->find_last_not_of(' ') + 1); }

}  // namespace

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
  for (const Column& column : columns_) titles.push_back(column.title);
  return Render(titles);
}

}  // namespace lanekeeper

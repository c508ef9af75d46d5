#include "config/nearest.h"

#include <algorithm>
#include <cstddef>

#include "proxy/base/text.h"

namespace lanekeeper {
namespace {

// Insertions, deletions, substitutions and swaps of neighbours it takes to turn one into the other.
// A swap counts once because it is the commonest slip of the fingers.
size_t EditDistance(const std::string& from, const std::string& to) {
  std::vector<size_t> before_last(to.size() + 1);
  std::vector<size_t> last(to.size() + 1);
  std::vector<size_t> row(to.size() + 1);
  for (size_t column = 0; column <= to.size(); ++column) row[column] = column;
  for (size_t i = 1; i <= from.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      const size_t substituted = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, substituted});
      const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[to.size()];
}

// A third of the longer name may differ: "tiem" is near "time", "tls" is not near "log".
size_t Tolerance(size_t written, size_t name) {
  return std::max<size_t>(1, std::max(written, name) / 3);
}

}  // namespace

std::optional<std::string> NearestName(std::string_view written,
                                       const std::vector<std::string>& names) {
  std::optional<std::string> nearest;
  size_t nearest_distance = 0;
  for (const std::string& name : names) {
    // Nothing so much longer can be near, and a file may hold keys of any length.
    if (written.size() > 2 * name.size() + 2) continue;
    const size_t distance = EditDistance(Lower(written), name);
    if (distance > Tolerance(written.size(), name.size())) continue;
    if (nearest && distance >= nearest_distance) continue;
    nearest = name;
    nearest_distance = distance;
  }
  return nearest;
}

}  // namespace lanekeeper

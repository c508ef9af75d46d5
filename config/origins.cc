// Where each value of a configuration comes from, as comments in what is printed of it.
#include <sstream>
#include <string>
#include <vector>

#include "config/load.h"

namespace lanekeeper {
namespace {

// Follows the lines that PrintConfig writes: two spaces deeper for a map, "- " for an entry of a
// list.
class PathOfLine {
 public:
  // The path of the key on this line.
  std::string Next(const std::string& line) {
    size_t indent = line.find_first_not_of(' ');
    const bool entry = line.compare(indent, 2, "- ") == 0;
    if (entry) indent += 2;
    while (!levels_.empty() && levels_.back().indent > indent) levels_.pop_back();
    if (levels_.empty() || levels_.back().indent < indent) levels_.push_back({indent, "", -1});
    if (entry) ++levels_.back().entry;
    levels_.back().key = line.substr(indent, line.find(':', indent) - indent);
    return Joined();
  }

 private:
  struct Level {
    size_t indent;
    std::string key;
    int entry;  // of the list that this level's maps are in; -1: in none
  };

  std::string Joined() const {
    std::string path;
    for (const Level& level : levels_) {
      if (level.entry >= 0) path += "[" + std::to_string(level.entry) + "]";
      path += (path.empty() ? "" : ".") + level.key;
    }
    return path;
  }

  std::vector<Level> levels_;
};

}  // namespace

std::string PrintConfig(const Config& config, const Origins& origins) {
  std::istringstream lines(PrintConfig(config));
  std::string yaml;
  PathOfLine path;
  for (std::string line; std::getline(lines, line);) {
    const auto found = origins.find(path.Next(line));
    yaml += line;
    if (!line.ends_with(':'))
      yaml += found == origins.end() ? "  # default" : "  # " + found->second;
    yaml += "\n";
  }
  return yaml;
}

}  // namespace lanekeeper

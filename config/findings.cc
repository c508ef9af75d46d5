#include "config/findings.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace lanekeeper {

void Findings::AddProblem(const Position& at, std::string message) {
  problems_.push_back({PlaceOf(at), at.line, at.column, std::move(message)});
}

std::optional<Position> Findings::GivenAt(const std::string& path) const {
  const auto found = good_.find(path);
  if (found == good_.end()) return std::nullopt;
  return found->second;
}

std::string Findings::PlaceOf(const Position& at) const {
  return at.variable.empty() ? file_ : "$" + at.variable;
}

Origins Findings::TakeOrigins() {
  Origins origins;
  for (const auto& [path, at] : std::exchange(good_, {})) {
    origins[path] = ConfigProblem{PlaceOf(at), at.line, at.column, {}}.Place();
  }
  return origins;
}

std::vector<ConfigProblem> Findings::TakeProblems() {
  const auto order = [](const ConfigProblem& problem) {
    return std::tie(problem.line, problem.column, problem.file);
  };
  const auto same = [order](const ConfigProblem& a, const ConfigProblem& b) {
    return order(a) == order(b) && a.message == b.message;
  };
  // Stable: problems at one position stay in the order they were found.
  std::stable_sort(
      problems_.begin(), problems_.end(),
      [order](const ConfigProblem& a, const ConfigProblem& b) { return order(a) < order(b); });
  problems_.erase(std::unique(problems_.begin(), problems_.end(), same), problems_.end());
  return std::exchange(problems_, {});
}

}  // namespace lanekeeper

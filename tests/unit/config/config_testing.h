// Short ways to load YAML in tests. Any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "config/load.h"

namespace lanekeeper {

// An environment of its own, so that no test depends on the machine's.
inline Environment FakeEnvironment(std::map<std::string, std::string> variables = {}) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

inline ConfigResult Load(const std::string& text) {
  return LoadConfigText(text, "test.yaml", FakeEnvironment());
}

// The problems as printed, in order.
inline std::vector<std::string> Printed(const ConfigResult& result) {
  std::vector<std::string> lines;
  for (const ConfigProblem& problem : result.problems) lines.push_back(problem.ToString());
  return lines;
}

inline std::vector<std::string> ProblemsOf(const std::string& text) { return Printed(Load(text)); }

// The required keys, to which tests add what they are about. Five lines.
inline const char kRequired[] =
    "listen:\n"
    "  - address: 127.0.0.1:50051\n"
    "upstream:\n"
    "  address: orders:50052\n"
    "  # more of upstream may follow\n";

inline std::string WithRequired(std::string_view more) { return kRequired + std::string(more); }

inline std::string ConfigDir() { return LANEKEEPER_CONFIG_DIR; }

}  // namespace lanekeeper

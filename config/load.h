// Turns YAML into a Config, or into every problem found, all at once.
// Any thread; touches nothing but the named file, the TLS files that it names and the
// environment it is given.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"

namespace lanekeeper {

// One thing wrong with a configuration file. Line and column count from 1; 0 where there is none.
struct ConfigProblem {
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;

  // "file:line:col: message", as compilers print it.
  std::string ToString() const;
};

// Either a config and no problems, or no config and at least one problem, in file order.
struct ConfigResult {
  std::optional<Config> config;
  std::vector<ConfigProblem> problems;
};

// Looks a variable of the environment up; empty when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment ProcessEnvironment();

ConfigResult LoadConfigFile(const std::string& path, const Environment& environment);
ConfigResult LoadConfigText(const std::string& text, const std::string& file_name,
                            const Environment& environment);

// The whole configuration as YAML, every key written out; loading it again gives the same Config.
std::string PrintConfig(const Config& config);

}  // namespace lanekeeper

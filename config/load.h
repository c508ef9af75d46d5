// Turns YAML into a Config, or into every problem found, all at once.
// Any thread; touches nothing but the named file, the TLS files that it names and the
// environment it is given.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace lanekeeper {

// Hundreds of times what a full configuration takes; keeps /dev/zero out of memory.
inline constexpr size_t kConfigBytesMax = 1024 * 1024;

// One thing wrong with a configuration file. Line and column count from 1; 0 where there is none.
struct ConfigProblem {
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;

  // "file:line:col", as compilers print it.
  std::string Place() const;
  // The same and ": message".
  std::string ToString() const;
};

// Where the value of each key comes from, by its path ("upstream.keepalive.time"): a place in the
// file, "$LANEKEEPER_UPSTREAM_KEEPALIVE_TIME", or a flag. Keys that have their default are not
// here.
using Origins = std::map<std::string, std::string>;

// Either a config and no problems, or no config and at least one problem, in file order.
struct ConfigResult {
  std::optional<Config> config;
  std::vector<ConfigProblem> problems;
  Origins origins;
};

// The variable that goes before the file for the key of this path, LANEKEEPER_LOG_LEVEL for
// "log.level"; none for what is in a list.
std::optional<std::string> VariableOf(std::string_view path);

// Looks a variable of the environment up; empty when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment ProcessEnvironment();

ConfigResult LoadConfigFile(const std::string& path, const Environment& environment);
ConfigResult LoadConfigText(const std::string& text, const std::string& file_name,
                            const Environment& environment);

// The whole configuration as YAML, every key written out; loading it again gives the same Config.
std::string PrintConfig(const Config& config);
// The same, with a comment behind each value: where it comes from.
std::string PrintConfig(const Config& config, const Origins& origins);

}  // namespace lanekeeper

// Where a running proxy's configuration comes from: a file, and the flags of the command line,
// which win over it whenever the file is read again. Owns the path and what is known of the file's
// variables. One thread at a time.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "config/load.h"

namespace lanekeeper {

class ConfigSource {
 public:
  // Sets what the command line asked for.
  using Flags = std::function<void(Config&)>;

  ConfigSource(std::string path, Environment environment, Flags flags);

  const std::string& path() const { return path_; }

  // Reads the file as it is now.
  ConfigResult Load();
  // The same of a text that somebody has sent, under that name. It may use the variables that the
  // file used when it was read last and no other: the environment is nobody's to read.
  ConfigResult LoadText(const std::string& text, const std::string& name) const;

 private:
  ConfigResult WithFlags(ConfigResult result) const;

  const std::string path_;
  const Environment environment_;
  const Flags flags_;
  std::set<std::string> variables_;  // that the file used
};

}  // namespace lanekeeper

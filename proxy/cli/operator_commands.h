// The operator's commands on the command line: `lanekeeper streams`, `top`, `watch`, `cancel`,
// `drain`, `reload`, `loglevel`, `health` and `wait`. Owns their options; make it before the
// command line is parsed. Used by the main thread.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "proxy/cli/output.h"

namespace lanekeeper {

class OperatorCommands {
 public:
  explicit OperatorCommands(CLI::App& cli);
  ~OperatorCommands();
  OperatorCommands(const OperatorCommands&) = delete;
  OperatorCommands& operator=(const OperatorCommands&) = delete;

  // Whether the command line that was parsed has one of them.
  bool given() const;
  // Runs it; the exit code: 0 done, 1 could not, which the error output then explains.
  int Run(Output& output) const;

 private:
  struct Options;
  using Command = std::function<int(Output&)>;

  CLI::App& Add(CLI::App& cli, const char* name, const char* what, const char* example,
                Command command);
  void AddLooks(CLI::App& cli);
  void AddChanges(CLI::App& cli);
  void AddProbes(CLI::App& cli);
  const Command* Given() const;

  std::unique_ptr<Options> options_;
  std::vector<std::pair<CLI::App*, Command>> commands_;
};

}  // namespace lanekeeper

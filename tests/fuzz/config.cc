// A configuration of any bytes: it loads, or every problem is told with its place, in order, a line
// each.
#include <algorithm>
#include <string>
#include <tuple>

#include "config/load.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/text_rules.h"

namespace lanekeeper::fuzz {
namespace {

std::optional<std::string> Variable(const std::string& name) {
  if (name == "PORT") return "50051";
  if (name == "EMPTY") return "";
  if (name == "ODD") return "\x1b[31m: ${PORT}\n";
  return std::nullopt;
}

void CheckProblems(const ConfigResult& result, int lines) {
  Check(result.config.has_value() == result.problems.empty(), "a configuration or problems");
  std::tuple<int, int> last(0, 0);
  for (const ConfigProblem& problem : result.problems) {
    Check(!problem.message.empty(), "a problem says what it is");
    Check(!HasControls(problem.message), "a problem is one line");
    Check(problem.file == "fuzz.yaml", "a problem names its file");
    Check((problem.line == 0) == (problem.column == 0), "a place is a line and a column");
    Check(problem.line >= 0 && problem.column >= 0, "places count from 1");
    Check(problem.line <= lines + 1, "a place is in the file");
    const std::tuple<int, int> place(problem.line, problem.column);
    Check(last <= place, "problems come in the order of the file");
    last = place;
  }
}

void Run(Input input) {
  const std::string text(input.Rest());
  // A carriage return ends a line of YAML, too.
  const auto lines =
      std::count(text.begin(), text.end(), '\n') + std::count(text.begin(), text.end(), '\r');
  const ConfigResult result = LoadConfigText(text, "fuzz.yaml", Variable);
  CheckProblems(result, static_cast<int>(lines) + 1);
  if (!result.config) return;
  const std::string printed = PrintConfig(*result.config);
  const ConfigResult again = LoadConfigText(printed, "printed.yaml", Variable);
  Check(again.config.has_value(), "what is printed loads");
  Check(PrintConfig(*again.config) == printed, "what is printed is the same configuration");
}

}  // namespace
}  // namespace lanekeeper::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lanekeeper::fuzz::Run({data, size});
  return 0;
}

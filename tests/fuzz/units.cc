// Durations, sizes and numbers of the configuration: what is read can be written and read again,
// what is refused is refused in a line.
#include "config/units.h"

#include <string>

#include "tests/fuzz/check.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/text_rules.h"

namespace lanekeeper::fuzz {
namespace {

void CheckRefusal(bool refused, const std::string& why) {
  Check(refused != why.empty(), "a reason is there when it is refused, and only then");
  Check(!HasControls(why), "a reason is one line");
}

void Run(Input input) {
  const std::string_view text = input.Rest();
  std::string why;
  std::string no_reason;

  const auto duration = ParseDuration(text, &why);
  CheckRefusal(!duration, why);
  if (duration) {
    Check(duration->count() >= 0, "a duration is not negative");
    Check(ParseDuration(FormatDuration(*duration), &no_reason) == duration,
          "a duration is read as it was written");
  }

  why.clear();
  const auto size = ParseSize(text, &why);
  CheckRefusal(!size, why);
  if (size) {
    Check(*size >= 0, "a size is not negative");
    Check(ParseSize(FormatSize(*size), &no_reason) == size, "a size is read as it was written");
  }

  why.clear();
  const auto number = ParseWholeNumber(text, &why);
  CheckRefusal(!number, why);
  if (number) Check(std::to_string(*number) == text, "a number is read as it stands");
}

}  // namespace
}  // namespace lanekeeper::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lanekeeper::fuzz::Run({data, size});
  return 0;
}

// What a fuzz target promises about every input. Any thread; ends the process when it is broken, so
// that libFuzzer and the replay keep the input.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <source_location>

namespace lanekeeper::fuzz {

inline void Check(bool holds, const char* promise,
                  std::source_location at = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u: broken: %s\n", at.file_name(), at.line(), promise);
  std::abort();
}

}  // namespace lanekeeper::fuzz

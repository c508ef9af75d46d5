// What main does in each of the two programs: an exception is told and ends it with 1.
#pragma once

#include <cstdio>
#include <exception>

namespace bench {

template <class Main>
int RunProgram(const char* name, Main&& run) {
  try {
    return run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    return 1;
  }
}

}  // namespace bench

// Settings of the process as a whole, from which every App in it profits. Call from main, before
// any other thread exists.
#pragma once

namespace lanekeeper {

// Starts the program anew, in the same process, with what glibc takes only from the environment and
// before main: larger thread caches in malloc. Returns if it has been done, if the operator has set
// GLIBC_TUNABLES, or if the system does not let us. First of all: what was read or opened is lost.
void RestartWithLargerCaches(char** argv);

void SetUpProcess();

}  // namespace lanekeeper

// Takes as many file descriptors as the system lets the process have: every connection needs one.
// Call from main.
#pragma once

#include <sys/resource.h>

namespace lanekeeper {

inline void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace lanekeeper

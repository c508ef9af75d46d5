// For threads that look at RPCs: where CPUs are short, those that carry RPCs go first.
#pragma once

#include <sys/resource.h>

namespace lanekeeper {

// Lowers the calling thread's priority, for good. On Linux it is each thread's own.
inline void StandBack() {
  constexpr int kNice = 10;
  setpriority(PRIO_PROCESS, 0, kNice);
}

}  // namespace lanekeeper

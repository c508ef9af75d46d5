// What a run of bench-load reports.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/bench/load/histogram.h"

namespace bench {

// What a run has done so far; counts only what completed and was found right.
struct Results {
  uint64_t rpcs = 0;
  uint64_t messages = 0;  // one per direction: an echo is two
  uint64_t bytes = 0;     // of messages, without prefixes
  uint64_t errors = 0;
  std::string first_error;
  Histogram latency;
  uint64_t started_ns = 0;
  uint64_t last_completion_ns = 0;
  uint64_t last_progress_ns = 0;  // any response bytes

  void AddError(std::string_view text);
  // The one line that a run prints.
  std::string Json(std::string_view workload) const;
};

}  // namespace bench

// A bound on how often one place of the code writes log lines: a token bucket. Any thread.
//
//   static RateLimit limit;
//   LogEvent(limit, LogLevel::kWarn, "dropped a connection", {{"reason", reason}});
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

namespace lanekeeper {

class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;

  explicit RateLimit(int burst = 10, int per_second = 10);

  // Whether a line may be written now: if so, how many have been suppressed since the last one.
  std::optional<uint64_t> Pass(Clock::time_point now = Clock::now());

  // Suppressed so far by all limits of the process.
  static uint64_t TotalSuppressed();

 private:
  const Clock::duration per_line_;
  const Clock::duration burst_;
  std::mutex mutex_;
  // What has been saved up, in time; per_line_ of it pays a line.
  Clock::duration saved_;
  std::optional<Clock::time_point> last_;
  uint64_t suppressed_ = 0;
};

}  // namespace lanekeeper

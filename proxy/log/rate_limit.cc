#include "proxy/log/rate_limit.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace lanekeeper {
namespace {

std::atomic<uint64_t> total_suppressed{0};

}  // namespace

RateLimit::RateLimit(int burst, int per_second)
    : per_line_(Clock::duration(std::chrono::seconds(1)) / per_second),
      burst_(per_line_ * burst),
      saved_(burst_) {}

std::optional<uint64_t> RateLimit::Pass(Clock::time_point now) {
  std::lock_guard lock(mutex_);
  // Threads can come with their times in the wrong order.
  const Clock::time_point last = last_.value_or(now);
  if (now > last) saved_ = std::min(burst_ - saved_, now - last) + saved_;
  last_ = std::max(now, last);
  if (saved_ < per_line_) {
    ++suppressed_;
    total_suppressed.fetch_add(1, std::memory_order_relaxed);
    return std::nullopt;
  }
  saved_ -= per_line_;
  return std::exchange(suppressed_, 0);
}

uint64_t RateLimit::TotalSuppressed() { return total_suppressed.load(std::memory_order_relaxed); }

}  // namespace lanekeeper

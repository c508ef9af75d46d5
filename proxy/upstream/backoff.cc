#include "proxy/upstream/backoff.h"

#include <algorithm>
#include <utility>

namespace lanekeeper {

Backoff::Backoff(std::function<double()> random) : random_(std::move(random)) {
  if (random_) return;
  random_ = [engine = std::minstd_rand(std::random_device()())]() mutable {
    return std::uniform_real_distribution<double>(0, 1)(engine);
  };
}

std::chrono::nanoseconds Backoff::Next() {
  const auto longer = std::chrono::duration_cast<std::chrono::nanoseconds>(current_ * kMultiplier);
  current_ = current_.count() == 0 ? kInitial : std::min(longer, kMax);
  const double factor = 1 + kJitter * (2 * random_() - 1);
  last_ = std::chrono::duration_cast<std::chrono::nanoseconds>(current_ * factor);
  return last_;
}

}  // namespace lanekeeper

// Counters and histograms that one thread writes and any thread reads: a plain load and store, no
// locked instruction.
#pragma once

#include <prometheus/client_metric.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace lanekeeper {

class Cell {
 public:
  // Only the one thread that owns the cell.
  void Add(int64_t n) { Set(Get() + n); }
  void Set(int64_t n) { value_.store(n, std::memory_order_relaxed); }
  // Any thread.
  int64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// The bounds in nanoseconds, so that an observation compares whole numbers.
template <size_t kCount>
constexpr std::array<int64_t, kCount> InNanoseconds(const std::array<double, kCount>& seconds) {
  std::array<int64_t, kCount> nanoseconds{};
  for (size_t i = 0; i < kCount; ++i) {
    const auto bound = std::chrono::duration<double>(seconds[i]);
    nanoseconds[i] = std::chrono::round<std::chrono::nanoseconds>(bound).count();
  }
  return nanoseconds;
}

// A histogram of durations, or the sum of those of several threads. The bounds are the family's, in
// seconds and rising; the last bucket is for what is above them all.
template <const auto& kBounds>
struct DurationCells {
  static constexpr auto kNanoseconds = InNanoseconds(kBounds);

  void Observe(std::chrono::nanoseconds duration) {
    // Most of what is observed took no time: it began and ended in one turn of a loop.
    const auto* bound = kNanoseconds.begin();
    if (duration.count() > *bound) {
      bound = std::lower_bound(bound, kNanoseconds.end(), duration.count());
    }
    buckets[static_cast<size_t>(bound - kNanoseconds.begin())].Add(1);
    nanoseconds.Add(duration.count());
  }
  void Add(const DurationCells& other) {
    for (size_t i = 0; i < buckets.size(); ++i) buckets[i].Add(other.buckets[i].Get());
    nanoseconds.Add(other.nanoseconds.Get());
  }

  prometheus::ClientMetric::Histogram Histogram() const {
    prometheus::ClientMetric::Histogram histogram;
    for (size_t i = 0; i < buckets.size(); ++i) {
      histogram.sample_count += static_cast<uint64_t>(buckets[i].Get());
      const double bound = i < kBounds.size() ? kBounds[i] : INFINITY;
      histogram.bucket.push_back({histogram.sample_count, bound});
    }
    histogram.sample_sum = static_cast<double>(nanoseconds.Get()) / 1e9;
    return histogram;
  }

  std::array<Cell, kBounds.size() + 1> buckets;
  Cell nanoseconds;
};

}  // namespace lanekeeper

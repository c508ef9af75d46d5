// A histogram of durations in cells: counted by the one thread that owns it, read by any. The
// bounds are the family's, in seconds and rising; the last bucket is for what is above them all.
#pragma once

#include <prometheus/client_metric.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "proxy/metrics/cell.h"

namespace lanekeeper {

template <size_t kBounds>
struct DurationCells {
  using Bounds = std::array<double, kBounds>;

  void Observe(std::chrono::steady_clock::duration duration, const Bounds& bounds) {
    const double seconds = std::chrono::duration<double>(duration).count();
    const auto* bound = std::lower_bound(bounds.begin(), bounds.end(), seconds);
    buckets[static_cast<size_t>(bound - bounds.begin())].Add(1);
    nanoseconds.Add(std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count());
  }

  std::array<Cell, kBounds + 1> buckets;
  Cell nanoseconds;
};

// The sum of such histograms.
template <size_t kBounds>
struct DurationTotals {
  void Add(const DurationCells<kBounds>& cells) {
    for (size_t i = 0; i < buckets.size(); ++i) buckets[i] += cells.buckets[i].Get();
    nanoseconds += cells.nanoseconds.Get();
  }

  prometheus::ClientMetric::Histogram Histogram(const std::array<double, kBounds>& bounds) const {
    prometheus::ClientMetric::Histogram histogram;
    for (size_t i = 0; i < buckets.size(); ++i) {
      histogram.sample_count += static_cast<uint64_t>(buckets[i]);
      const double bound = i < bounds.size() ? bounds[i] : INFINITY;
      histogram.bucket.push_back({histogram.sample_count, bound});
    }
    histogram.sample_sum = static_cast<double>(nanoseconds) / 1e9;
    return histogram;
  }

  std::array<int64_t, kBounds + 1> buckets{};
  int64_t nanoseconds = 0;
};

}  // namespace lanekeeper

// Latencies, without keeping each.
#pragma once

#include <cstdint>
#include <vector>

namespace bench {

// Counts of durations in a fixed amount of memory: each power of two of nanoseconds is cut into
// 128 equal buckets, so a quantile is less than 1 % off; the smallest and largest are exact.
class Histogram {
 public:
  Histogram();

  void Add(uint64_t ns);

  uint64_t count() const { return count_; }
  // Of an empty histogram: 0.
  uint64_t min_ns() const { return count_ == 0 ? 0 : min_; }
  uint64_t max_ns() const { return max_; }
  // What this share (0 to 1) of the durations does not exceed.
  uint64_t QuantileNs(double share) const;

 private:
  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  uint64_t min_ = UINT64_MAX;
  uint64_t max_ = 0;
};

}  // namespace bench

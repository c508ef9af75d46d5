#include "tests/bench/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace bench {
namespace {

constexpr int kSubBits = 7;                // 128 buckets to a power of two
constexpr uint64_t kLargest = 1ULL << 42;  // 73 minutes; anything longer counts as that
constexpr uint64_t kSub = 1ULL << kSubBits;

// Below 128 every value has its own bucket; above, bucket (shift, top seven bits below the first).
size_t BucketOf(uint64_t ns) {
  if (ns < kSub) return ns;
  const int shift = std::bit_width(ns) - 1 - kSubBits;
  return (static_cast<size_t>(shift) + 1) * kSub + ((ns >> shift) - kSub);
}

uint64_t LargestIn(size_t bucket) {
  if (bucket < kSub) return bucket;
  const size_t shift = bucket / kSub - 1;
  return ((bucket % kSub + kSub + 1) << shift) - 1;
}

}  // namespace

Histogram::Histogram() : buckets_(BucketOf(kLargest) + 1) {}

void Histogram::Add(uint64_t ns) {
  ++buckets_[BucketOf(std::min(ns, kLargest))];
  ++count_;
  min_ = std::min(min_, ns);
  max_ = std::max(max_, ns);
}

uint64_t Histogram::QuantileNs(double share) const {
  const auto rank = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen > 0 && seen >= rank) return std::clamp(LargestIn(bucket), min_ns(), max_);
  }
  return max_;
}

}  // namespace bench

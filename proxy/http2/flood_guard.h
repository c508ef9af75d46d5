// Counts the frames that a peer can send for nothing, and says when it is a flood. A bucket for
// each kind: so many at once, so many a second. Owned by a connection; its loop's thread.
// SECURITY.md lists the limits; CVE-2019-9511 to 9518, CVE-2023-44487, CVE-2024-28182.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "proxy/base/clock.h"
#include "proxy/base/words.h"

namespace lanekeeper::http2 {

enum class FloodKind : uint8_t {
  kPing,
  kSettings,
  kPriority,
  kReset,         // RST_STREAM for a stream that was not answered yet ("rapid reset")
  kForcedReset,   // RST_STREAM that the peer makes us send by breaking a rule
  kWindowUpdate,  // more than the data that we send can explain
  kEmptyFrame,    // DATA without bytes, and CONTINUATION
  kUnknownFrame,
};

}  // namespace lanekeeper::http2

namespace lanekeeper {

template <>
inline constexpr auto kLabels<http2::FloodKind> =
    std::to_array<Named<http2::FloodKind>>({{"ping", http2::FloodKind::kPing},
                                            {"settings", http2::FloodKind::kSettings},
                                            {"priority", http2::FloodKind::kPriority},
                                            {"reset", http2::FloodKind::kReset},
                                            {"forced_reset", http2::FloodKind::kForcedReset},
                                            {"window_update", http2::FloodKind::kWindowUpdate},
                                            {"empty_frame", http2::FloodKind::kEmptyFrame},
                                            {"unknown_frame", http2::FloodKind::kUnknownFrame}});

}  // namespace lanekeeper

namespace lanekeeper::http2 {

inline constexpr size_t kFloodKinds = kLabels<FloodKind>.size();

struct FloodLimit {
  double burst;
  double per_second;
};

inline constexpr std::array<FloodLimit, kFloodKinds> kFloodLimits = {{
    {1000, 100},    // kPing
    {200, 20},      // kSettings
    {5000, 1000},   // kPriority: browsers and old libraries send one a request
    {2000, 200},    // kReset
    {1000, 100},    // kForcedReset
    {20000, 5000},  // kWindowUpdate
    {20000, 2000},  // kEmptyFrame
    {1000, 100},    // kUnknownFrame
}};

class FloodGuard {
 public:
  // False when that was one too many.
  bool Count(FloodKind kind, Instant now) {
    const auto index = static_cast<size_t>(kind);
    Bucket& bucket = buckets_[index];
    const FloodLimit& limit = kFloodLimits[index];
    bucket.used =
        std::max(0.0, bucket.used - static_cast<double>(now - bucket.at) / 1e9 * limit.per_second) +
        1;
    bucket.at = now;
    return bucket.used <= limit.burst;
  }
  // What we sent lets the peer send as many of these.
  void Allow(FloodKind kind, double count) {
    double& used = buckets_[static_cast<size_t>(kind)].used;
    used = std::max(0.0, used - count);
  }

 private:
  struct Bucket {
    double used = 0;
    Instant at = 0;
  };
  std::array<Bucket, kFloodKinds> buckets_{};
};

}  // namespace lanekeeper::http2

// Counts the frames that a peer can send for nothing, and says when it is a flood. A bucket for
// each kind: so many at once, so many a second. Owned by a connection; its loop's thread.
// SECURITY.md lists the limits.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "proxy/base/clock.h"
#include "proxy/base/words.h"

namespace lanekeeper::http2 {

enum class FloodKind : uint8_t {
  kPing,      // and acknowledgements, of which we ask for few
  kSettings,  // each may make us walk over all streams
  kGoaway,    // so does each of these
  kPriority,
  kReset,         // RST_STREAM for a stream that was not answered yet ("rapid reset")
  kLateReset,     // RST_STREAM for a stream that is not open, more than there were answers
  kForcedReset,   // RST_STREAM that the peer makes us send by breaking a rule
  kWindowUpdate,  // more than the data that we send can explain
  kEmptyFrame,    // DATA without bytes, CONTINUATION, and 1xx answers
  kUnknownFrame,
  kUnread,  // no frames of the peer's: ours that wait because it does not read
};

}  // namespace lanekeeper::http2

namespace lanekeeper {

template <>
inline constexpr auto kLabels<http2::FloodKind> =
    std::to_array<Named<http2::FloodKind>>({{"ping", http2::FloodKind::kPing},
                                            {"settings", http2::FloodKind::kSettings},
                                            {"goaway", http2::FloodKind::kGoaway},
                                            {"priority", http2::FloodKind::kPriority},
                                            {"reset", http2::FloodKind::kReset},
                                            {"late_reset", http2::FloodKind::kLateReset},
                                            {"forced_reset", http2::FloodKind::kForcedReset},
                                            {"window_update", http2::FloodKind::kWindowUpdate},
                                            {"empty_frame", http2::FloodKind::kEmptyFrame},
                                            {"unknown_frame", http2::FloodKind::kUnknownFrame},
                                            {"unread", http2::FloodKind::kUnread}});

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
    {100, 10},      // kGoaway
    {5000, 1000},   // kPriority: browsers and old libraries send one a request
    {2000, 200},    // kReset
    {20000, 2000},  // kLateReset
    {1000, 100},    // kForcedReset
    {20000, 5000},  // kWindowUpdate
    {20000, 2000},  // kEmptyFrame
    {1000, 100},    // kUnknownFrame
    {10000, 0},     // kUnread: so many at any time
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

// Why a connection ended, and what is counted of all connections of one side. Plain values; the
// counts are written on the loop's thread and read by any.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "proxy/base/words.h"
#include "proxy/http2/flood_guard.h"

namespace lanekeeper::http2 {

enum class EndKind : uint8_t {
  kPeerClosed,
  kSocketError,
  kClosed,  // by us
  // The peer's faults.
  kProtocolError,
  kFlood,
  kSlow,   // the peer did not finish in time what it owes
  kHttp1,  // the peer spoke HTTP/1
  kTls,    // the peer spoke TLS, and we do not
  kTlsFailed,
  kOther,  // the peer spoke something else
};

constexpr bool IsFault(EndKind kind) { return kind >= EndKind::kProtocolError; }

struct ConnectionEnd {
  EndKind kind = EndKind::kClosed;
  std::string text;  // for people; printable
  FloodKind flood = FloodKind::kPing;
};

}  // namespace lanekeeper::http2

namespace lanekeeper {

// Those that are faults.
template <>
inline constexpr auto kLabels<http2::EndKind> =
    std::to_array<Named<http2::EndKind>>({{"protocol_error", http2::EndKind::kProtocolError},
                                          {"flood", http2::EndKind::kFlood},
                                          {"slow", http2::EndKind::kSlow},
                                          {"http1", http2::EndKind::kHttp1},
                                          {"tls", http2::EndKind::kTls},
                                          {"tls_failed", http2::EndKind::kTlsFailed},
                                          {"not_http2", http2::EndKind::kOther}});

}  // namespace lanekeeper

namespace lanekeeper::http2 {

using Count = std::atomic<int64_t>;

// By one thread at a time.
inline void AddOne(Count& count) {
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// Of all connections of one side.
struct FrameCounts {
  Count resets_sent{0};
  Count resets_received{0};
  Count goaways_sent{0};
  Count goaways_received{0};
  std::array<Count, kFloodKinds> floods{};
  std::array<Count, static_cast<size_t>(EndKind::kOther) + 1> ends{};

  void AddEnd(const ConnectionEnd& end) {
    AddOne(ends[static_cast<size_t>(end.kind)]);
    if (end.kind == EndKind::kFlood) AddOne(floods[static_cast<size_t>(end.flood)]);
  }
};

}  // namespace lanekeeper::http2

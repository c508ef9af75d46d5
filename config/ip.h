// IP addresses as values, so that both families compare alike. Any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace lanekeeper {

// Sixteen bytes; IPv4 as its mapped form ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
using Ip = std::array<uint8_t, 16>;

inline constexpr Ip kAnyV4 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
inline constexpr Ip kLoopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

inline bool IsV4(const Ip& ip) { return std::equal(ip.begin(), ip.begin() + 12, kAnyV4.begin()); }
inline bool IsLoopback(const Ip& ip) { return ip == kLoopback || (IsV4(ip) && ip[12] == 127); }

}  // namespace lanekeeper

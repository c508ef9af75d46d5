// How a stream appears in structured lines, the same in all of them. Pure functions.
#pragma once

#include <chrono>
#include <cmath>

#include "proxy/log/fields.h"
#include "proxy/observe/stream_snapshot.h"

namespace lanekeeper {

// Of a method or an address. Methods come from the wire, as long as metadata may be.
inline constexpr size_t kLogNameBytes = 256;

// With microseconds as decimals.
inline double Milliseconds(std::chrono::nanoseconds time) {
  return static_cast<double>(std::chrono::round<std::chrono::microseconds>(time).count()) / 1e3;
}

// With milliseconds as decimals.
inline double Seconds(std::chrono::nanoseconds time) {
  return static_cast<double>(std::chrono::round<std::chrono::milliseconds>(time).count()) / 1e3;
}

inline void AddIdentity(const StreamSnapshot& stream, LogFields& fields) {
  fields.Add("id", stream.id)
      .Add("method", std::string_view(stream.method).substr(0, kLogNameBytes))
      .Add("peer", std::string_view(stream.downstream_peer).substr(0, kLogNameBytes));
}

}  // namespace lanekeeper

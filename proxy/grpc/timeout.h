// grpc-timeout, both ways (gRPC doc/PROTOCOL-HTTP2.md: at most 8 digits and a unit). Pure
// functions; any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace lanekeeper {

// Empty for what is no timeout. Clamped to 100 years, which no RPC outlives.
std::optional<std::chrono::nanoseconds> ParseTimeout(std::string_view value);

struct TimeoutText {
  std::array<char, 12> text{};
  size_t size = 0;
  std::string_view view() const { return {text.data(), size}; }
};

// Rounded up, so that no peer gives up before the application does; at least one nanosecond.
TimeoutText FormatTimeout(std::chrono::nanoseconds left);

}  // namespace lanekeeper

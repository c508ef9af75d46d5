#include "proxy/grpc/timeout.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace lanekeeper {
namespace {

struct Unit {
  char letter;
  int64_t nanoseconds;
};
constexpr std::array<Unit, 6> kUnits = {{{'n', 1},
                                         {'u', 1'000},
                                         {'m', 1'000'000},
                                         {'S', 1'000'000'000},
                                         {'M', 60'000'000'000},
                                         {'H', 3'600'000'000'000}}};
constexpr size_t kDigitsMax = 8;
constexpr int64_t kValueMax = 99'999'999;
constexpr int64_t kLongest = int64_t{100} * 365 * 24 * 3'600'000'000'000;

}  // namespace

std::optional<std::chrono::nanoseconds> ParseTimeout(std::string_view value) {
  if (value.size() < 2 || value.size() > kDigitsMax + 1) return std::nullopt;
  int64_t number = 0;
  for (const char c : value.substr(0, value.size() - 1)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  for (const Unit& unit : kUnits) {
    if (unit.letter != value.back()) continue;
    return std::chrono::nanoseconds(
        number > kLongest / unit.nanoseconds ? kLongest : number * unit.nanoseconds);
  }
  return std::nullopt;
}

TimeoutText FormatTimeout(std::chrono::nanoseconds left) {
  const int64_t nanoseconds = std::max<int64_t>(left.count(), 1);
  TimeoutText result;
  for (const Unit& unit : kUnits) {
    const int64_t value = nanoseconds / unit.nanoseconds + (nanoseconds % unit.nanoseconds != 0);
    if (value > kValueMax && unit.letter != kUnits.back().letter) continue;
    char* const begin = result.text.data();
    char* end = std::to_chars(begin, begin + kDigitsMax, std::min(value, kValueMax)).ptr;
    *end++ = unit.letter;
    result.size = static_cast<size_t>(end - begin);
    break;
  }
  return result;
}

}  // namespace lanekeeper

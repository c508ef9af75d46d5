#include "config/units.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "config/quote.h"

namespace lanekeeper {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

// Longest first: durations are written in this order, and formatting takes the first that fits.
constexpr std::array<Unit, 4> kDurationUnits = {
    {{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 4> kSizeUnits = {
    {{"GiB", int64_t{1} << 30}, {"MiB", int64_t{1} << 20}, {"KiB", int64_t{1} << 10}, {"B", 1}}};

constexpr std::string_view kDurationExample =
    "expected a duration such as 250ms, 30s, 5m, 1h or 1m30s (0 is off)";
constexpr std::string_view kSizeExample = "expected a size such as 512B, 64KiB, 4MiB or 1GiB";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes the leading characters that are digits (or that are not) off the text.
std::string_view Take(bool digits, std::string_view* text) {
  const auto end =
      std::find_if(text->begin(), text->end(), [digits](char c) { return IsDigit(c) != digits; });
  const std::string_view taken = text->substr(0, static_cast<size_t>(end - text->begin()));
  text->remove_prefix(taken.size());
  return taken;
}

// total + digits * factor, or nothing where that does not fit.
std::optional<int64_t> AddScaled(int64_t total, std::string_view digits, int64_t factor) {
  int64_t number = 0;
  for (const char c : digits) {
    if (__builtin_mul_overflow(number, 10, &number)) return std::nullopt;
    if (__builtin_add_overflow(number, c - '0', &number)) return std::nullopt;
  }
  if (__builtin_mul_overflow(number, factor, &number)) return std::nullopt;
  if (__builtin_add_overflow(total, number, &total)) return std::nullopt;
  return total;
}

bool IsNegative(std::string_view text) {
  return text.size() > 1 && text[0] == '-' && IsDigit(text[1]);
}

bool IsBareNumber(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit);
}

template <class... Args>
std::nullopt_t Refuse(std::string* why, fmt::format_string<Args...> format, Args&&... args) {
  *why = fmt::format(format, std::forward<Args>(args)...);
  return std::nullopt;
}

}  // namespace

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text, std::string* why) {
  if (text == "0") return std::chrono::milliseconds(0);
  if (IsNegative(text)) return Refuse(why, "a duration cannot be negative, found {}", Quote(text));
  if (IsBareNumber(text)) {
    return Refuse(why, "the unit is missing: {}, found {}", kDurationExample, Quote(text));
  }
  int64_t total = 0;
  auto next_unit = kDurationUnits.begin();  // units must get smaller: "1h30m", never "30m1h"
  std::string_view rest = text;
  do {
    const std::string_view digits = Take(true, &rest);
    const std::string_view name = Take(false, &rest);
    const auto unit = std::find_if(next_unit, kDurationUnits.end(),
                                   [name](const Unit& u) { return u.name == name; });
    if (digits.empty() || unit == kDurationUnits.end()) {
      return Refuse(why, "{}, found {}", kDurationExample, Quote(text));
    }
    const std::optional<int64_t> sum = AddScaled(total, digits, unit->factor);
    if (!sum) return Refuse(why, "the duration is too long, found {}", Quote(text));
    total = *sum;
    next_unit = unit + 1;
  } while (!rest.empty());
  return std::chrono::milliseconds(total);
}

std::optional<int64_t> ParseSize(std::string_view text, std::string* why) {
  if (text == "0") return 0;
  if (IsNegative(text)) return Refuse(why, "a size cannot be negative, found {}", Quote(text));
  if (IsBareNumber(text)) {
    return Refuse(why, "the unit is missing: {}, found {}", kSizeExample, Quote(text));
  }
  std::string_view name = text;
  const std::string_view digits = Take(true, &name);
  const auto unit = std::find_if(kSizeUnits.begin(), kSizeUnits.end(),
                                 [name](const Unit& u) { return u.name == name; });
  if (digits.empty() || unit == kSizeUnits.end()) {
    return Refuse(why, "{}, found {}", kSizeExample, Quote(text));
  }
  const std::optional<int64_t> bytes = AddScaled(0, digits, unit->factor);
  if (!bytes) return Refuse(why, "the size is too large, found {}", Quote(text));
  return bytes;
}

std::optional<int64_t> ParseWholeNumber(std::string_view text, std::string* why) {
  const bool leading_zero = text.size() > 1 && text[0] == '0';
  if (!IsBareNumber(text) || leading_zero) {
    return Refuse(why, "expected a whole number in plain decimal, found {}", Quote(text));
  }
  const std::optional<int64_t> number = AddScaled(0, text, 1);
  if (!number) return Refuse(why, "the number is too large, found {}", Quote(text));
  return number;
}

std::string FormatDuration(std::chrono::milliseconds duration) {
  int64_t left = duration.count();
  std::string text;
  for (const Unit& unit : kDurationUnits) {
    if (left >= unit.factor) text += fmt::format("{}{}", left / unit.factor, unit.name);
    left %= unit.factor;
  }
  return text.empty() ? "0" : text;
}

std::string FormatSize(int64_t bytes) {
  if (bytes == 0) return "0";
  // "B" divides everything, so the search always ends.
  const auto unit = std::find_if(kSizeUnits.begin(), kSizeUnits.end(),
                                 [bytes](const Unit& u) { return bytes % u.factor == 0; });
  return fmt::format("{}{}", bytes / unit->factor, unit->name);
}

}  // namespace lanekeeper

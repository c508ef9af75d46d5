// Parsers of single values, to be combined: each takes text and a place for the reason, and returns
// an optional value, as FieldReader::Value asks. Values only; any thread.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/names.h"
#include "config/quote.h"
#include "config/units.h"

namespace lanekeeper {

// One of the names.
template <class Enum, size_t kCount>
auto OneOf(const Names<Enum, kCount>& names) {
  return [&names](std::string_view text, std::string* why) -> std::optional<Enum> {
    const std::optional<Enum> value = ValueOf(names, text);
    if (!value) *why = fmt::format("expected {}, found {}", ChoicesOf(names), Quote(text));
    return value;
  };
}

// What parse gives, or the word for no value at all, such as "off".
template <class Parse>
auto OrWord(std::string_view word, Parse parse) {
  return [word, parse](std::string_view text, std::string* why) {
    using Value = decltype(parse(text, why));
    if (text == word) return std::optional<Value>(std::in_place, std::nullopt);
    Value value = parse(text, why);
    if (value) return std::optional<Value>(std::in_place, std::move(value));
    *why += fmt::format("; or write {}", word);
    return std::optional<Value>();
  };
}

// What parse gives if it lies between the two, both included; format writes them in messages.
template <class Parse, class T, class Format>
auto Between(T low, T high, Parse parse, Format format) {
  return [=](std::string_view text, std::string* why) -> std::optional<T> {
    const std::optional<T> value = parse(text, why);
    if (value && (*value < low || *value > high)) {
      *why = fmt::format("expected {} to {}, found {}", format(low), format(high), Quote(text));
      return std::nullopt;
    }
    return value;
  };
}

inline auto NumberBetween(int64_t low, int64_t high) {
  return Between(low, high, ParseWholeNumber,
                 [](int64_t number) { return fmt::to_string(number); });
}

inline auto SizeBetween(int64_t low, int64_t high) {
  return Between(low, high, ParseSize, FormatSize);
}

inline auto DurationUpTo(std::chrono::milliseconds high) {
  return Between(std::chrono::milliseconds(0), high, ParseDuration, FormatDuration);
}

}  // namespace lanekeeper

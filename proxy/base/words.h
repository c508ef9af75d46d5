// The words that stand for enum values: one table for each enum, read both ways. Constants and pure
// functions; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lanekeeper {

template <class Enum>
struct Named {
  std::string_view name;
  Enum value;
};

template <class Enum, size_t kCount>
using Names = std::array<Named<Enum>, kCount>;

// Empty for a value that the table does not have.
template <class Enum, size_t kCount>
constexpr std::string_view NameOf(const Names<Enum, kCount>& names, Enum value) {
  for (const Named<Enum>& named : names) {
    if (named.value == value) return named.name;
  }
  return "";
}

template <class Enum, size_t kCount>
constexpr std::optional<Enum> ValueOf(const Names<Enum, kCount>& names, std::string_view name) {
  for (const Named<Enum>& named : names) {
    if (named.name == name) return named.value;
  }
  return std::nullopt;
}

// "off, errors or all".
template <class Enum, size_t kCount>
std::string ChoicesOf(const Names<Enum, kCount>& names) {
  std::string choices;
  for (size_t i = 0; i < kCount; ++i) {
    if (i > 0) choices += i + 1 == kCount ? " or " : ", ";
    choices += names[i].name;
  }
  return choices;
}

// The table of an enum that metrics, log lines and the admin API have labels for.
template <class Enum>
inline constexpr auto kLabels = nullptr;

template <class Enum>
std::string ToLabel(Enum value) {
  return std::string(NameOf(kLabels<Enum>, value));
}

}  // namespace lanekeeper

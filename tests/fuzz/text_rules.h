// What texts that are shown to people may hold. Any thread.
#pragma once

#include <algorithm>
#include <string_view>

#include "proxy/base/text.h"

namespace lanekeeper::fuzz {

// Bytes that would end a line or steer a terminal.
inline bool HasControls(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

inline bool IsPrintableAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// What stays as it is where only the harmless may stay: UTF-8 that acts on no viewer.
inline bool IsHarmless(std::string_view text) {
  return Escaped(text, {.beyond_ascii = EscapeRule::BeyondAscii::kIfHarmless}) == text;
}

}  // namespace lanekeeper::fuzz

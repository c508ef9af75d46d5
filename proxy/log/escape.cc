#include "proxy/log/escape.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

namespace lanekeeper {
namespace {

struct Character {
  char32_t code = 0;
  size_t bytes = 0;  // 0: what stands here is not UTF-8
};

void Append(std::string_view text, spdlog::memory_buf_t& to) {
  to.append(text.data(), text.data() + text.size());
}

// The first character (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
Character Decode(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return {byte(0), 1};
  const size_t bytes = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < bytes) return {};
  char32_t code = byte(0) & (0xff >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (overlong || surrogate || code > 0x10ffff) return {};
  return {code, bytes};
}

// Terminals and viewers act on these instead of showing them: C1, line and paragraph separators,
// and what reorders text.
bool ActsOnViewers(char32_t code) {
  return (code >= 0x80 && code <= 0x9f) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0x200e || code == 0x200f;
}

void AppendControl(unsigned char byte, spdlog::memory_buf_t& to) {
  switch (byte) {
    case '\n':
      return Append("\\n", to);
    case '\r':
      return Append("\\r", to);
    case '\t':
      return Append("\\t", to);
    default:
      fmt::format_to(std::back_inserter(to), "\\x{:02x}", byte);
  }
}

void AppendEscaped(std::string_view text, bool escape_quotes, spdlog::memory_buf_t& to) {
  while (!text.empty()) {
    const Character first = Decode(text);
    const char byte = text.front();
    if (first.bytes == 0 || first.code < 0x20 || first.code == 0x7f) {
      AppendControl(static_cast<unsigned char>(byte), to);
    } else if (ActsOnViewers(first.code)) {
      fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<uint32_t>(first.code));
    } else {
      if (byte == '\\' || (byte == '"' && escape_quotes)) to.push_back('\\');
      Append(text.substr(0, first.bytes), to);
    }
    text.remove_prefix(std::max<size_t>(first.bytes, 1));
  }
}

// Most text is: nothing to escape in any format.
bool IsPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= 0x20 && c < 0x7f && c != '\\' && c != '"'; });
}

}  // namespace

void AppendEscaped(std::string_view text, spdlog::memory_buf_t& to) {
  if (IsPlain(text)) return Append(text, to);
  AppendEscaped(text, false, to);
}

void AppendTextValue(std::string_view text, spdlog::memory_buf_t& to) {
  const bool plain = IsPlain(text);
  if (plain && !text.empty() && text.find_first_of(" =") == text.npos) return Append(text, to);
  to.push_back('"');
  if (plain) {
    Append(text, to);
  } else {
    AppendEscaped(text, true, to);
  }
  to.push_back('"');
}

void AppendJsonString(std::string_view text, spdlog::memory_buf_t& to) {
  if (!IsPlain(text)) {
    return Append(
        nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), to);
  }
  to.push_back('"');
  Append(text, to);
  to.push_back('"');
}

}  // namespace lanekeeper

#include "proxy/base/text.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace lanekeeper {
namespace {

using BeyondAscii = EscapeRule::BeyondAscii;

struct Character {
  char32_t code = 0;
  size_t bytes = 0;  // 0: what stands here is not UTF-8
};

bool IsPrintable(char c) { return c >= 0x20 && c < 0x7f; }

// The first character (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF) of a
// text that begins beyond ASCII.
Character Decode(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
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

void AppendNumber(const char* format, uint32_t number, std::string& to) {
  char escape[16];
  std::snprintf(escape, sizeof escape, format, number);
  to += escape;
}

void AppendAscii(char c, const EscapeRule& rule, std::string& to) {
  constexpr std::string_view kEnds = "\n\r\t";
  const size_t end = kEnds.find(c);
  if (end != kEnds.npos && rule.line_ends_by_letter) {
    to += {'\\', "nrt"[end]};
  } else if (!IsPrintable(c)) {
    AppendNumber("\\x%02x", static_cast<unsigned char>(c), to);
  } else {
    if ((c == '\\' && rule.backslashes) || (c == '"' && rule.quotes)) to += '\\';
    to += c;
  }
}

// The first character of the text; how many bytes it has.
size_t AppendBeyondAscii(std::string_view text, BeyondAscii rule, std::string& to) {
  const Character first = rule == BeyondAscii::kIfHarmless ? Decode(text) : Character{};
  const size_t bytes = std::max<size_t>(first.bytes, 1);
  if (first.bytes > 0 && ActsOnViewers(first.code)) {
    AppendNumber("\\u%04x", static_cast<uint32_t>(first.code), to);
  } else if (first.bytes > 0 || rule == BeyondAscii::kStays) {
    to += text.substr(0, bytes);
  } else {
    AppendNumber("\\x%02x", static_cast<unsigned char>(text.front()), to);
  }
  return bytes;
}

}  // namespace

std::string Escaped(std::string_view text, const EscapeRule& rule) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    size_t bytes = 1;
    if (static_cast<unsigned char>(text.front()) < 0x80)
      AppendAscii(text.front(), rule, escaped);
    else
      bytes = AppendBeyondAscii(text, rule.beyond_ascii, escaped);
    text.remove_prefix(bytes);
  }
  return escaped;
}

bool IsPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return IsPrintable(c) && c != '\\' && c != '"'; });
}

std::string Printable(std::string_view text) { return Escaped(text, {}); }

std::string Masked(std::string_view text) {
  std::string masked(text);
  std::replace_if(
      masked.begin(), masked.end(), [](char c) { return !IsPrintable(c); }, '?');
  return masked;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace lanekeeper

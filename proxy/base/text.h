// Makes bytes that may come from anywhere printable, so that they can neither end a line nor steer
// a terminal nor look like something else. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace lanekeeper {

// What becomes of bytes other than printable ASCII; control characters never stay.
struct EscapeRule {
  enum class BeyondAscii {
    kEscaped,     // each byte becomes \xNN
    kIfHarmless,  // UTF-8 stays, but for what viewers act on instead of showing it: \u202e
    kStays,
  };
  BeyondAscii beyond_ascii = BeyondAscii::kEscaped;
  bool line_ends_by_letter = false;  // \n \r \t rather than \x0a \x0d \x09
  bool backslashes = false;          // become \\, so that no escape can be imitated
  bool quotes = false;               // become \"
};

std::string Escaped(std::string_view text, const EscapeRule& rule);

// Printable ASCII without backslashes and quotes: the same under every rule.
bool IsPlain(std::string_view text);

// For the admin API, whose strings must be UTF-8.
std::string Printable(std::string_view text);

// Every byte that is not printable ASCII replaced by a question mark.
std::string Masked(std::string_view text);

// The letters of ASCII in lower case.
std::string Lower(std::string_view text);

}  // namespace lanekeeper

#include "config/quote.h"

#include <fmt/core.h>

#include <cstddef>

namespace lanekeeper {
namespace {

// Long enough for any address we accept, short enough for one line of a terminal.
constexpr size_t kLongest = 120;

bool IsControl(unsigned char c) { return c < 0x20 || c == 0x7f; }

// UTF-8 continues a character in bytes 10xxxxxx; cutting before one would leave half a character.
bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::string_view CutOff(std::string_view text) {
  size_t end = kLongest;
  while (end > 0 && ContinuesCharacter(text[end])) --end;
  return text.substr(0, end);
}

}  // namespace

std::string Quote(std::string_view text) {
  const bool cut = text.size() > kLongest;
  std::string quoted = "'";
  for (const char c : cut ? CutOff(text) : text) {
    if (IsControl(static_cast<unsigned char>(c))) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + (cut ? "...'" : "'");
}

}  // namespace lanekeeper

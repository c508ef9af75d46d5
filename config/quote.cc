#include "config/quote.h"

#include <cstddef>

#include "proxy/base/text.h"

namespace lanekeeper {
namespace {

// Long enough for any address we accept, short enough for one line of a terminal.
constexpr size_t kLongest = 120;

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
  const std::string shown =
      Escaped(cut ? CutOff(text) : text, {.beyond_ascii = EscapeRule::BeyondAscii::kStays});
  return "'" + shown + (cut ? "...'" : "'");
}

}  // namespace lanekeeper

// Bytes from anywhere made printable: nothing that is shown ends a line, steers a terminal or
// imitates an escape.
#include "proxy/base/text.h"

#include <string>

#include "config/quote.h"
#include "proxy/grpc/metadata.h"
#include "proxy/grpc/status.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/text_rules.h"

namespace lanekeeper::fuzz {
namespace {

using BeyondAscii = EscapeRule::BeyondAscii;

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// A byte in two hexadecimal digits.
char ByteOf(std::string_view digits) {
  Check(digits.size() == 2 && Digit(digits[0]) >= 0 && Digit(digits[1]) >= 0, "two digits");
  return static_cast<char>(Digit(digits[0]) * 16 + Digit(digits[1]));
}

std::string PercentDecoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    decoded += ByteOf(text.substr(i + 1, 2));
    i += 2;
  }
  return decoded;
}

// Of a text that was escaped with backslashes = true, all beyond ASCII as bytes.
std::string Unescaped(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    const char kind = text.substr(i + 1).empty() ? '\0' : text[++i];
    if (kind == 'x') {
      plain += ByteOf(text.substr(i + 1, 2));
      i += 2;
    } else {
      plain += kind == 'n' ? '\n' : kind == 'r' ? '\r' : kind == 't' ? '\t' : kind;
    }
  }
  return plain;
}

void CheckRule(std::string_view text, const EscapeRule& rule) {
  const std::string escaped = Escaped(text, rule);
  Check(!HasControls(escaped), "no control character stays");
  if (rule.beyond_ascii == BeyondAscii::kEscaped) {
    Check(IsPrintableAscii(escaped), "all is ASCII");
    if (rule.backslashes) Check(Unescaped(escaped) == text, "it can be told what it was");
  }
  if (rule.beyond_ascii == BeyondAscii::kIfHarmless) {
    Check(IsHarmless(escaped), "what stays is UTF-8 that acts on nobody");
  }
  if (IsPlain(text)) Check(escaped == text, "what is plain stays");
}

void CheckRules(std::string_view text) {
  for (const auto beyond : {BeyondAscii::kEscaped, BeyondAscii::kIfHarmless, BeyondAscii::kStays}) {
    for (int bits = 0; bits < 8; ++bits) {
      CheckRule(text, {beyond, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0});
    }
  }
}

void Run(Input input) {
  const std::string_view text = input.Rest();
  CheckRules(text);
  Check(IsPrintableAscii(Printable(text)), "Printable is ASCII");
  Check(IsPrintableAscii(Masked(text)), "Masked is ASCII");
  Check(Masked(text).size() == text.size(), "Masked keeps the length");
  Check(!HasControls(Quote(text)), "a quote is one line");
  Check(Quote(text).size() <= 4 * 120 + 6, "a quote is short");
  Check(IsPrintableAscii(PrintableField(text)), "PrintableField is ASCII");
  Check(PrintableField(text).size() <= 64, "PrintableField is short");
  Check(Lower(Lower(text)) == Lower(text), "Lower twice is Lower");

  const std::string encoded = PercentEncode(text);
  Check(IsPrintableAscii(encoded), "an encoded message is ASCII");
  Check(PercentDecoded(encoded) == text, "an encoded message can be decoded");
  Check(!HasControls(EncodeControls(text)), "no control character is sent");
  Check(JudgeField("grpc-message", EncodeControls(text)) == FieldVerdict::kForward,
        "a message whose controls are encoded may be sent");
  Check(ParseStatus(text) >= 0, "a status is never negative");
}

}  // namespace
}  // namespace lanekeeper::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lanekeeper::fuzz::Run({data, size});
  return 0;
}

#include "proxy/base/text.h"

#include <gtest/gtest.h>

namespace lanekeeper {
namespace {

using BeyondAscii = EscapeRule::BeyondAscii;

// Text, a control character, a line end, a backslash, a quote, a letter, an override, no UTF-8.
constexpr std::string_view kText = "a\x1b\n\\\"\xc3\xa4\xe2\x80\xae\xff";

TEST(EscapedTest, ControlCharactersNeverStay) {
  EXPECT_EQ(Escaped(kText, {}), R"(a\x1b\x0a\"\xc3\xa4\xe2\x80\xae\xff)");
  EXPECT_EQ(Escaped(kText, {.beyond_ascii = BeyondAscii::kStays}),
            "a\\x1b\\x0a\\\"\xc3\xa4\xe2\x80\xae\xff");
  EXPECT_EQ(Escaped(std::string_view("\0\x7f", 2), {}), R"(\x00\x7f)");
}

TEST(EscapedTest, WhatViewersActOnIsEscapedAndLettersStay) {
  EXPECT_EQ(Escaped(kText, {.beyond_ascii = BeyondAscii::kIfHarmless}),
            "a\\x1b\\x0a\\\"\xc3\xa4\\u202e\\xff");
}

TEST(EscapedTest, BackslashesQuotesAndLineEndsAreToBeAskedFor) {
  EXPECT_EQ(Escaped(kText, {.line_ends_by_letter = true, .backslashes = true, .quotes = true}),
            R"(a\x1b\n\\\"\xc3\xa4\xe2\x80\xae\xff)");
  EXPECT_EQ(Escaped("\r\t", {.line_ends_by_letter = true}), R"(\r\t)");
}

TEST(PrintableTest, IsAscii) {
  EXPECT_EQ(Printable("/a.B/c"), "/a.B/c");
  EXPECT_EQ(Printable("/\xff\n\x7f\xc3\xa4"), R"(/\xff\x0a\x7f\xc3\xa4)");
}

TEST(PlainTest, TextNeedsNoEscapeUnderAnyRule) {
  EXPECT_TRUE(IsPlain("/a.B/c d=e"));
  for (const char* text : {"\\", "\"", "\n", "\x7f", "\x80"}) EXPECT_FALSE(IsPlain(text)) << text;
}

TEST(MaskedTest, EachByteThatDoesNotPrintIsAQuestionMark) {
  EXPECT_EQ(Masked("a\nb\x80\\"), "a?b?\\");
}

}  // namespace
}  // namespace lanekeeper

#include "config/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace lanekeeper {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

milliseconds Duration(std::string_view text) {
  std::string why;
  const auto duration = ParseDuration(text, &why);
  EXPECT_TRUE(duration) << text << ": " << why;
  return duration.value_or(milliseconds(-1));
}

int64_t Size(std::string_view text) {
  std::string why;
  const auto size = ParseSize(text, &why);
  EXPECT_TRUE(size) << text << ": " << why;
  return size.value_or(-1);
}

template <class Parse>
std::string WhyNot(Parse parse, std::string_view text) {
  std::string why;
  EXPECT_FALSE(parse(text, &why)) << text;
  return why;
}

TEST(UnitsTest, DurationsTakeEveryUnit) {
  EXPECT_EQ(Duration("250ms"), milliseconds(250));
  EXPECT_EQ(Duration("30s"), milliseconds(30'000));
  EXPECT_EQ(Duration("5m"), milliseconds(300'000));
  EXPECT_EQ(Duration("1h"), milliseconds(3'600'000));
}

TEST(UnitsTest, DurationsAddUpFromLongToShort) {
  EXPECT_EQ(Duration("1m30s"), milliseconds(90'000));
  EXPECT_EQ(Duration("1h2m3s4ms"), milliseconds(3'723'004));
  EXPECT_EQ(Duration("1h4ms"), milliseconds(3'600'004));
}

TEST(UnitsTest, ZeroNeedsNoUnitButMayHaveOne) {
  EXPECT_EQ(Duration("0"), milliseconds(0));
  EXPECT_EQ(Duration("0s"), milliseconds(0));
  EXPECT_EQ(Size("0"), 0);
  EXPECT_EQ(Size("0KiB"), 0);
}

TEST(UnitsTest, BareNumbersAreToldToTakeAUnit) {
  EXPECT_EQ(WhyNot(ParseDuration, "30"),
            "the unit is missing: expected a duration such as 250ms, 30s, 5m, 1h or 1m30s "
            "(0 is off), found '30'");
  EXPECT_EQ(WhyNot(ParseSize, "4096"),
            "the unit is missing: expected a size such as 512B, 64KiB, 4MiB or 1GiB, "
            "found '4096'");
  EXPECT_THAT(WhyNot(ParseDuration, "00"), HasSubstr("the unit is missing"));
}

TEST(UnitsTest, MalformedDurationsAreRefusedWithAnExample) {
  for (const char* text : {"",      "s",    "ms", "30 s",  " 30s", "30s ",  "1.5s",    "30S",
                           "30sec", "5min", "1d", "30s1m", "1s1s", "1m30",  "1_000ms", "0x10s",
                           "+5s",   "1e3s", "-",  "-s",    "s5",   "1h-5m", "off",     "5m\n"}) {
    EXPECT_THAT(WhyNot(ParseDuration, text), HasSubstr("expected a duration such as")) << text;
  }
}

TEST(UnitsTest, MalformedSizesAreRefusedWithAnExample) {
  for (const char* text : {"", "B", "4MB", "4kb", "4Mib", "4 MiB", "1.5MiB", "1MiB512KiB", "4M",
                           "1_024B", "0x10B", "+1B", "unlimited", "MiB4", "4TiB"}) {
    EXPECT_THAT(WhyNot(ParseSize, text), HasSubstr("expected a size such as")) << text;
  }
}

TEST(UnitsTest, NegativesAreNamedAsSuch) {
  EXPECT_EQ(WhyNot(ParseDuration, "-5s"), "a duration cannot be negative, found '-5s'");
  EXPECT_EQ(WhyNot(ParseDuration, "-0"), "a duration cannot be negative, found '-0'");
  EXPECT_EQ(WhyNot(ParseSize, "-1KiB"), "a size cannot be negative, found '-1KiB'");
}

TEST(UnitsTest, SizesTakeEveryUnit) {
  EXPECT_EQ(Size("512B"), 512);
  EXPECT_EQ(Size("64KiB"), 65'536);
  EXPECT_EQ(Size("4MiB"), 4'194'304);
  EXPECT_EQ(Size("1GiB"), 1'073'741'824);
}

TEST(UnitsTest, LargestValuesFitAndOneMoreOverflows) {
  EXPECT_EQ(Duration("9223372036854775807ms"), milliseconds(kMax));
  EXPECT_EQ(WhyNot(ParseDuration, "9223372036854775808ms"),
            "the duration is too long, found '9223372036854775808ms'");
  EXPECT_EQ(Size("9223372036854775807B"), kMax);
  EXPECT_EQ(Size("8589934591GiB"), kMax - ((int64_t{1} << 30) - 1));
  EXPECT_EQ(WhyNot(ParseSize, "8589934592GiB"), "the size is too large, found '8589934592GiB'");
}

TEST(UnitsTest, OverflowIsCaughtWhereverItHappens) {
  const std::string many_digits(400, '9');
  EXPECT_THAT(WhyNot(ParseDuration, "2562047788016h"), HasSubstr("too long"));
  EXPECT_THAT(WhyNot(ParseDuration, "2562047788015h13m"), HasSubstr("too long"));
  EXPECT_THAT(WhyNot(ParseDuration, many_digits + "s"), HasSubstr("too long"));
  EXPECT_THAT(WhyNot(ParseSize, many_digits + "B"), HasSubstr("too large"));
  EXPECT_THAT(WhyNot(ParseWholeNumber, many_digits), HasSubstr("too large"));
}

TEST(UnitsTest, WholeNumbersArePlainDecimal) {
  std::string why;
  EXPECT_EQ(ParseWholeNumber("0", &why), 0);
  EXPECT_EQ(ParseWholeNumber("1000000", &why), 1'000'000);
  EXPECT_EQ(ParseWholeNumber("9223372036854775807", &why), kMax);
  for (const char* text : {"", "0x10", "1_000", "010", "0o10", "1e3", "1.0", "+1", "-1", "1 ",
                           "ten", "12:30", "1,000"}) {
    EXPECT_THAT(WhyNot(ParseWholeNumber, text), HasSubstr("whole number in plain decimal"));
  }
}

TEST(UnitsTest, FormattingTakesTheLongestUnits) {
  EXPECT_EQ(FormatDuration(milliseconds(0)), "0");
  EXPECT_EQ(FormatDuration(milliseconds(90'000)), "1m30s");
  EXPECT_EQ(FormatDuration(milliseconds(1'500)), "1s500ms");
  EXPECT_EQ(FormatDuration(milliseconds(25'000)), "25s");
  EXPECT_EQ(FormatSize(0), "0");
  EXPECT_EQ(FormatSize(16'384), "16KiB");
  EXPECT_EQ(FormatSize(1'025), "1025B");
  EXPECT_EQ(FormatSize(int64_t{3} << 30), "3GiB");
}

TEST(UnitsTest, WhatIsFormattedParsesBack) {
  for (const int64_t value : {int64_t{0}, int64_t{1}, int64_t{999}, int64_t{1'000}, int64_t{1'024},
                              int64_t{3'600'001}, int64_t{1'048'577}, kMax}) {
    EXPECT_EQ(Duration(FormatDuration(milliseconds(value))), milliseconds(value));
    EXPECT_EQ(Size(FormatSize(value)), value);
  }
}

}  // namespace
}  // namespace lanekeeper

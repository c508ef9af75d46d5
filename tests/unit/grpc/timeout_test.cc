#include "proxy/grpc/timeout.h"

#include <gtest/gtest.h>

namespace lanekeeper {
namespace {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;

TEST(TimeoutTest, EveryUnitIsRead) {
  EXPECT_EQ(ParseTimeout("1n"), 1ns);
  EXPECT_EQ(ParseTimeout("2u"), 2us);
  EXPECT_EQ(ParseTimeout("3m"), 3ms);
  EXPECT_EQ(ParseTimeout("4S"), 4s);
  EXPECT_EQ(ParseTimeout("5M"), 5min);
  EXPECT_EQ(ParseTimeout("6H"), 6h);
  EXPECT_EQ(ParseTimeout("00000000H"), 0ns);
}

TEST(TimeoutTest, WhatIsNoTimeoutIsNone) {
  for (const char* text :
       {"", "n", "5", "1s", "1x", "-1S", "+1S", " 1S", "1S ", "123456789n", "1.5S"}) {
    EXPECT_EQ(ParseTimeout(text), std::nullopt) << text;
  }
}

TEST(TimeoutTest, TheLongestDoesNotOverflow) {
  EXPECT_GT(*ParseTimeout("99999999H"), 24h * 365);
  EXPECT_GT(*ParseTimeout("99999999M"), 24h * 365);
}

TEST(TimeoutTest, WhatIsLeftIsRoundedUpAndNeverNothing) {
  EXPECT_EQ(FormatTimeout(0ns).view(), "1n");
  EXPECT_EQ(FormatTimeout(-5s).view(), "1n");
  EXPECT_EQ(FormatTimeout(99'999'999ns).view(), "99999999n");
  EXPECT_EQ(FormatTimeout(100'000'001ns).view(), "100001u");
  EXPECT_EQ(FormatTimeout(100s + 1ns).view(), "100001m");
  for (const nanoseconds left : {nanoseconds(1), nanoseconds(123456789012345), nanoseconds(24h)}) {
    const auto read = ParseTimeout(FormatTimeout(left).view());
    ASSERT_TRUE(read.has_value());
    EXPECT_GE(*read, left);
    EXPECT_LE(*read - left, left / 100'000 + 1ns);
  }
}

}  // namespace
}  // namespace lanekeeper

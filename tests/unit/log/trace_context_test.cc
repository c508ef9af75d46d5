#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "proxy/log/stream_log.h"

namespace lanekeeper {
namespace {

TEST(Traceparent, GivesTheIds) {
  const auto trace = ParseTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->trace_id, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(trace->span_id, "b7ad6b7169203331");
}

struct Case {
  const char* why;
  const char* header;
  bool valid;
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.why; }

class Traceparents : public testing::TestWithParam<Case> {};

TEST_P(Traceparents, AreJudgedAsTheRecommendationSays) {
  EXPECT_EQ(ParseTraceparent(GetParam().header).has_value(), GetParam().valid) << GetParam().header;
}

INSTANTIATE_TEST_SUITE_P(
    All, Traceparents,
    testing::Values(
        Case{"NotSampled", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true},
        Case{"UnknownFlags", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff", true},
        Case{"FutureVersion", "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true},
        Case{"FutureLonger", "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what", true},
        Case{"FutureLongerNoDash", "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what",
             false},
        Case{"FutureJustADash", "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", true},
        Case{"Version0Longer", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what",
             false},
        Case{"VersionFf", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
        Case{"VersionNoHex", "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
        Case{"Empty", "", false},
        Case{"Short", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", false},
        Case{"TraceIdZero", "00-00000000000000000000000000000000-b7ad6b7169203331-01", false},
        Case{"SpanIdZero", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false},
        Case{"TraceIdUpperCase", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false},
        Case{"SpanIdUpperCase", "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01", false},
        Case{"FlagsUpperCase", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0A", false},
        Case{"FlagsNoHex", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x", false},
        Case{"NoDashes", "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01", false},
        Case{"NewlineInId", "00-0af7651916cd43dd8448eb211c8031\n9-b7ad6b7169203331-01", false}),
    [](const auto& test) { return std::string(test.param.why); });

}  // namespace
}  // namespace lanekeeper

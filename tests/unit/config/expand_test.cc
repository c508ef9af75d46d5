#include "config/expand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_testing.h"

namespace lanekeeper {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Environment Variables() {
  return FakeEnvironment({{"HOST", "orders"},
                          {"PORT", "50052"},
                          {"EMPTY", ""},
                          {"DOLLAR", "${X}$"},
                          {"_a1", "underscore"}});
}

std::string Expanded(std::string_view text) {
  std::string why;
  const auto expanded = ExpandVariables(text, Variables(), &why);
  EXPECT_TRUE(expanded) << text << ": " << why;
  return expanded.value_or("refused");
}

std::string WhyNot(std::string_view text) {
  std::string why;
  EXPECT_FALSE(ExpandVariables(text, Variables(), &why)) << text;
  return why;
}

TEST(ExpandTest, TextWithoutDollarsStaysAsItIs) {
  EXPECT_EQ(Expanded(""), "");
  EXPECT_EQ(Expanded("127.0.0.1:50051"), "127.0.0.1:50051");
  EXPECT_EQ(Expanded("{HOST}"), "{HOST}");
}

TEST(ExpandTest, VariablesBecomeTheirValues) {
  EXPECT_EQ(Expanded("${HOST}"), "orders");
  EXPECT_EQ(Expanded("dns:///${HOST}:${PORT}"), "dns:///orders:50052");
  EXPECT_EQ(Expanded("${HOST}${HOST}"), "ordersorders");
  EXPECT_EQ(Expanded("${_a1}"), "underscore");
}

TEST(ExpandTest, DefaultsFillInForUnsetAndEmpty) {
  EXPECT_EQ(Expanded("${NOPE:-localhost}"), "localhost");
  EXPECT_EQ(Expanded("${EMPTY:-localhost}"), "localhost");
  EXPECT_EQ(Expanded("${HOST:-localhost}"), "orders");
  EXPECT_EQ(Expanded("${NOPE:-}"), "");
  EXPECT_EQ(Expanded("${NOPE:-a:-b}"), "a:-b");
}

TEST(ExpandTest, SetButEmptyWithoutDefaultIsEmpty) { EXPECT_EQ(Expanded("x${EMPTY}y"), "xy"); }

TEST(ExpandTest, TwoDollarsAreOne) {
  EXPECT_EQ(Expanded("$$"), "$");
  EXPECT_EQ(Expanded("a$$b"), "a$b");
  EXPECT_EQ(Expanded("$${HOST}"), "${HOST}");
  EXPECT_EQ(Expanded("$$${HOST}"), "$orders");
}

TEST(ExpandTest, ValuesAreNotExpandedAgain) { EXPECT_EQ(Expanded("${DOLLAR}"), "${X}$"); }

TEST(ExpandTest, UnsetVariableIsNamed) {
  EXPECT_EQ(WhyNot("a${NOPE}b"), "the environment variable NOPE is not set");
}

TEST(ExpandTest, LoneDollarIsRefused) {
  for (const char* text : {"$", "a$", "$HOST", "$ {HOST}", "$$$", "$(HOST)"}) {
    EXPECT_THAT(WhyNot(text), HasSubstr("a lone '$'")) << text;
  }
}

TEST(ExpandTest, MissingBraceIsRefused) {
  EXPECT_EQ(WhyNot("${HOST"), "'}' is missing after '${HOST'");
  EXPECT_THAT(WhyNot("${"), HasSubstr("'}' is missing"));
}

TEST(ExpandTest, MalformedNamesAreRefused) {
  for (const char* text :
       {"${}", "${1A}", "${A B}", "${A-b}", "${:-x}", "${HOST:=x}", "${HOST:}"}) {
    EXPECT_THAT(WhyNot(text), HasSubstr("expected ${NAME} or ${NAME:-default}")) << text;
  }
}

TEST(ExpandTest, DefaultCannotHoldAnotherVariable) {
  EXPECT_THAT(WhyNot("${NOPE:-${HOST}}"), HasSubstr("the default of ${NOPE:-...} cannot hold"));
}

TEST(ExpandTest, EveryScalarOfAFileExpands) {
  const auto environment = FakeEnvironment({{"PORT", "50052"}, {"LEVEL", "debug"}, {"RPCS", "7"}});
  const ConfigResult result = LoadConfigText(
      "listen: [{address: 'unix:///run/${NAME:-lane}$$keeper.sock'}]\n"
      "upstream: {address: \"orders:${PORT}\"}\n"
      "limits:\n"
      "  open_rpcs: ${RPCS}\n"
      "log:\n"
      "  level: ${LEVEL}\n",
      "test.yaml", environment);
  ASSERT_TRUE(result.config) << testing::PrintToString(Printed(result));
  EXPECT_EQ(result.config->listen[0].address, "unix:///run/lane$keeper.sock");
  EXPECT_EQ(result.config->upstream.address, "orders:50052");
  EXPECT_EQ(result.config->limits.open_rpcs, 7);
  EXPECT_EQ(result.config->log.level, LogLevel::kDebug);
}

TEST(ExpandTest, UnsetVariableIsReportedAtItsValue) {
  EXPECT_THAT(ProblemsOf(WithRequired("log:\n  level: ${LEVEL}\n")),
              ElementsAre("test.yaml:7:10: log.level: the environment variable LEVEL is not set"));
}

TEST(ExpandTest, VariableCannotAddStructure) {
  const auto environment = FakeEnvironment({{"EVIL", "info\nformat: json"}});
  const auto result =
      LoadConfigText(WithRequired("log:\n  level: ${EVIL}\n"), "test.yaml", environment);
  EXPECT_THAT(Printed(result),
              ElementsAre("test.yaml:7:10: log.level: expected trace, debug, info, warn or error, "
                          "found 'info\\x0aformat: json'"));
}

}  // namespace
}  // namespace lanekeeper

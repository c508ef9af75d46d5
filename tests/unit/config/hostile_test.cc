// Files that no editor would write: each must end as a problem, soon and without harm.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "config_testing.h"

namespace lanekeeper {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

TEST(HostileTest, OpenQuoteNeverLoads) {
  // yaml-cpp closes the quote itself and leaves a space for the line's end.
  EXPECT_THAT(
      ProblemsOf(WithRequired("log:\n  level: \"info\n")),
      ElementsAre(AllOf(StartsWith("test.yaml:7:10: log.level: "), EndsWith("found 'info '"))));
}

// yaml-cpp takes these for documents without end; gathering them all would exhaust memory.
TEST(HostileTest, StrayBracketOrCommaIsAProblemNotAnEndlessLoop) {
  EXPECT_THAT(ProblemsOf(",listen: []\n"),
              ElementsAre("test.yaml:1:1: expected one document and nothing after it, found more "
                          "here"));
  for (const char* stray : {",", "}", "]", "? ,", "- ]", ": }"}) {
    EXPECT_THAT(ProblemsOf(stray), Not(SizeIs(0))) << stray;
    EXPECT_THAT(ProblemsOf(WithRequired(stray)), Not(SizeIs(0))) << stray;
  }
}

// yaml-cpp quotes what it stumbles over as it is.
TEST(HostileTest, AMessageOfYamlsHoldsNoControlCharacter) {
  EXPECT_THAT(ProblemsOf(WithRequired("log: {level: \"\\\x1b\"}\n")),
              ElementsAre(AllOf(StartsWith("test.yaml:6:"), HasSubstr("not valid YAML: "),
                                HasSubstr("\\x1b"), Not(HasSubstr("\x1b")))));
}

TEST(HostileTest, MapsThatHoldThemselvesEnd) {
  EXPECT_THAT(ProblemsOf("listen: &self [*self]\nupstream: &up {address: o:1, keepalive: *up}\n"),
              AllOf(Contains(HasSubstr("listen[0]: expected a map, found a list")),
                    Contains(HasSubstr("unknown key 'upstream.keepalive.address'"))));
}

TEST(HostileTest, DeepNestingIsAProblemNotACrash) {
  for (const char* open : {"[", "{a: ", "- ", "? "}) {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += open;
    const ConfigResult result = Load(text);
    EXPECT_FALSE(result.config) << open;
    EXPECT_THAT(result.problems, Not(SizeIs(0))) << open;
  }
  EXPECT_THAT(ProblemsOf(std::string(20'000, '[')),
              ElementsAre(HasSubstr("maps and lists are nested too deeply")));
}

TEST(HostileTest, LargeTextIsAProblemNotACrash) {
  std::string many_keys;
  for (int i = 0; i < 20'000; ++i) many_keys += "key" + std::to_string(i) + ": 1\n";
  EXPECT_THAT(Load(many_keys).problems, SizeIs(20'002));  // and two required keys missing
  EXPECT_THAT(ProblemsOf(std::string(1024 * 1024 + 1, ' ')),
              ElementsAre("test.yaml: is larger than 1048576 bytes"));
}

TEST(HostileTest, LongAndUnprintableValuesStayOnOneShortLine) {
  const auto problems = ProblemsOf(WithRequired("log: {level: \"" + std::string(10'000, 'x') +
                                                "\", format: \"a\\nb\\e[31m\"}\n"));
  ASSERT_THAT(problems, SizeIs(2));
  EXPECT_THAT(problems[0], AllOf(EndsWith("xxx...'"), SizeIs(testing::Lt(250u))));
  EXPECT_THAT(problems[1], EndsWith("found 'a\\x0ab\\x1b[31m'"));
}

}  // namespace
}  // namespace lanekeeper

// Feeds the loader thousands of slightly broken files. The seed is fixed: a failure repeats.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "config_equality.h"
#include "config_testing.h"

namespace lanekeeper {
namespace {

constexpr int kMutants = 3000;

// Bits of YAML and of our own syntax that tend to upset parsers.
const std::vector<std::string>& Fragments() {
  static const std::vector<std::string> fragments = {"\n",
                                                     "\n  ",
                                                     "\t",
                                                     ":",
                                                     ": ",
                                                     "- ",
                                                     "[",
                                                     "]",
                                                     "{",
                                                     "}",
                                                     "\"",
                                                     "'",
                                                     "|\n",
                                                     ">\n",
                                                     "&a ",
                                                     "*a",
                                                     "!",
                                                     "!!",
                                                     "!<",
                                                     "? ",
                                                     "<<:",
                                                     "---\n",
                                                     "...\n",
                                                     "%",
                                                     "#",
                                                     "${",
                                                     "${A}",
                                                     "$$",
                                                     "$",
                                                     "~",
                                                     "0",
                                                     "-1",
                                                     "999999",
                                                     "0x",
                                                     "KiB",
                                                     "ms",
                                                     "\r",
                                                     "\\",
                                                     "\\x0",
                                                     ",",
                                                     "@",
                                                     "`",
                                                     "null",
                                                     "unix",
                                                     "[::1]",
                                                     "\xff",
                                                     "\xc3",
                                                     "%TAG",
                                                     "\xef\xbb\xbf",
                                                     std::string(1, '\0')};
  return fragments;
}

class Mutator {
 public:
  explicit Mutator(std::string original) : original_(std::move(original)) {}

  // Up to three changes: enough to combine, few enough for some to stay valid.
  std::string Next() {
    std::string text = original_;
    const size_t changes = 1 + Below(3);
    for (size_t i = 0; i < changes; ++i) Change(&text);
    return text;
  }

 private:
  // Not std::uniform_int_distribution, which differs between libraries.
  size_t Below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  void Change(std::string* text) {
    const size_t at = Below(text->size() + 1);
    const size_t length = std::min(Below(8), text->size() - at);
    switch (Below(5)) {
      case 0:
        text->erase(at, length);
        break;
      case 1:
        text->insert(at, Fragments()[Below(Fragments().size())]);
        break;
      case 2:
        text->replace(at, length, Fragments()[Below(Fragments().size())]);
        break;
      case 3:
        text->insert(Below(text->size() + 1), text->substr(at, length));
        break;
      default:
        if (at < text->size()) (*text)[at] = static_cast<char>(Below(256));
    }
  }

  const std::string original_;
  std::mt19937 random_{20240614};
};

// Comments off, or most changes would land in them.
std::string ReferenceWithoutComments() {
  std::ifstream file(ConfigDir() + "/reference.yaml");
  std::string text;
  for (std::string line; std::getline(file, line);) {
    const size_t start = line.find_first_not_of(' ');
    if (start != std::string::npos && line[start] != '#') text += line + "\n";
  }
  return text;
}

void ExpectEitherConfigOrProblems(const std::string& text, const ConfigResult& result) {
  EXPECT_EQ(result.config.has_value(), result.problems.empty()) << text;
  std::tuple<int, int> last(0, 0);
  for (const ConfigProblem& problem : result.problems) {
    EXPECT_FALSE(problem.message.empty()) << text;
    EXPECT_EQ(problem.line == 0, problem.column == 0) << text;
    EXPECT_LE(last, std::make_tuple(problem.line, problem.column)) << text;
    last = {problem.line, problem.column};
  }
}

TEST(MutationTest, MutantsLoadOrAreRefusedInOrder) {
  const std::string original = ReferenceWithoutComments();
  ASSERT_TRUE(Load(original).config);
  Mutator mutator(original);
  int loaded = 0;
  for (int i = 0; i < kMutants; ++i) {
    const std::string text = mutator.Next();
    ConfigResult result;
    ASSERT_NO_THROW(result = Load(text)) << text;
    ExpectEitherConfigOrProblems(text, result);
    if (!result.config) continue;
    ++loaded;
    const ConfigResult again = Load(PrintConfig(*result.config));
    ASSERT_TRUE(again.config) << text << PrintConfig(*result.config);
    EXPECT_TRUE(SameConfig(*result.config, *again.config)) << text;
  }
  // Both ways must have been tried for the above to mean anything.
  EXPECT_GT(loaded, kMutants / 100);
  EXPECT_LT(loaded, kMutants / 2);
}

}  // namespace
}  // namespace lanekeeper

#include "tests/conformance/wire/differences.h"

#include <gtest/gtest.h>

namespace lanekeeper::testing::wire {
namespace {

bool Replace(std::string& text, const Difference& difference) {
  const size_t at = text.find(difference.direct);
  if (at == std::string::npos) return false;
  text.replace(at, difference.direct.size(), difference.proxied);
  return true;
}

}  // namespace

std::string Expected(const std::string& test_case, Difference::End end, std::string direct) {
  for (const Difference& difference : ExpectedDifferences()) {
    if (difference.test_case != test_case || difference.end != end) continue;
    EXPECT_TRUE(Replace(direct, difference)) << "a difference that is none: " << difference.direct;
  }
  return direct;
}

}  // namespace lanekeeper::testing::wire

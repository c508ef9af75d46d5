// Random RPCs, the same ones directly and over a route: what both ends see must be the same.
#include <fmt/format.h>
#include <grpc/grpc.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ostream>

#include "tests/conformance/generated/observe.h"

namespace lanekeeper::testing {

// For googletest's own messages.
static void PrintTo(const RouteKind& route, std::ostream* out) { *out << route.name; }

namespace {

constexpr int kMostFailures = 10;

uint64_t Setting(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

size_t IndexOf(const RouteKind& route) {
  for (size_t i = 0; i < Routes().size(); ++i) {
    if (std::string(Routes()[i].name) == route.name) return i;
  }
  return 0;
}

class GeneratedTest : public ::testing::TestWithParam<RouteKind> {
 protected:
  // Both observations of a seed, if they differ or are not complete.
  std::string Difference(uint64_t seed) {
    const Plan plan = GeneratePlan(seed);
    const Observation direct = Observe(plan, direct_, server_, 1);
    const Observation proxied = Observe(plan, proxied_, server_, GetParam().proxies + 1);
    if (direct == proxied && direct.complete) return "";
    return Describe(plan) + "observed:\n" + Describe(direct, proxied) +
           fmt::format(
               "to replay: LANEKEEPER_SEED={} build/release/tests/conformance/generated/"
               "generated_conformance_tests --gtest_filter='*/{}'\n",
               seed, GetParam().name);
  }

  CoreServer server_;
  Route route_{GetParam(), server_.address()};
  CoreChannel direct_{server_.address()};
  CoreChannel proxied_{route_.target()};
};

// Directly as well: a plan whose outcome is a matter of luck would differ there.
TEST_P(GeneratedTest, BothEndsSeeTheSameAsDirectly) {
  const uint64_t only = Setting("LANEKEEPER_SEED", 0);
  const uint64_t first = only != 0 ? only : Setting("LANEKEEPER_FIRST_SEED", 1);
  const uint64_t count = only != 0 ? 1 : Setting("LANEKEEPER_SEEDS", 300);
  int failures = 0;
  for (uint64_t seed = first; seed < first + count && failures < kMostFailures; ++seed) {
    // A third of the seeds each, in rotation, so that each seed runs over two or three routes.
    if (only == 0 && seed % 3 != IndexOf(GetParam()) % 3) continue;
    const std::string difference = Difference(seed);
    if (difference.empty()) continue;
    ++failures;
    ADD_FAILURE() << difference;
  }
}

INSTANTIATE_TEST_SUITE_P(Generated, GeneratedTest, ::testing::ValuesIn(Routes()),
                         [](const auto& route) { return route.param.name; });

}  // namespace
}  // namespace lanekeeper::testing

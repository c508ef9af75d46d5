// What may differ between the direct way and the one through lanekeeper, each with its reason. All
// else must be equal.
#pragma once

#include <string>
#include <vector>

namespace lanekeeper::testing::wire {

// A piece of an observation that reads otherwise through lanekeeper.
struct Difference {
  enum class End { kClient, kServer };

  std::string test_case;
  End end;
  std::string direct;   // lines, each ended; a prefix of the last may do
  std::string proxied;  // "": these lines are missing
  std::string reason;
};

// The whole table: expected_differences.cc.
const std::vector<Difference>& ExpectedDifferences();

// What the direct observation becomes through lanekeeper. Fails the test when a difference that is
// expected is not to be found: the table holds nothing that is not true.
std::string Expected(const std::string& test_case, Difference::End end, std::string direct);

}  // namespace lanekeeper::testing::wire

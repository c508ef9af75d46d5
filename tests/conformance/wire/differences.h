// What may differ between the direct way and the one through lanekeeper, each with its reason. All
// else must be equal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lanekeeper::testing::wire {

// Fields left out of every comparison: each hop of gRPC writes its own.
bool IsLeftOut(const std::string& name, const std::string& value);

// Fields that gRPC's core keeps apart from the others: their order among the others is core's, so
// they are compared as a set. The order of all other fields is compared.
bool IsKeptApartByCore(std::string_view name);

// The value in the form both ways must agree on.
std::string Normalized(const std::string& name, const std::string& value);

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

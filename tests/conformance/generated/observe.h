// Acts a plan out over a route and writes down what the two ends saw.
#pragma once

#include <string>
#include <vector>

#include "tests/conformance/generated/peers.h"
#include "tests/conformance/generated/plan.h"

namespace lanekeeper::testing {

struct Observation {
  std::vector<std::string> lines;  // in the order of the plan
  bool complete = true;            // false when something did not come in time

  bool operator==(const Observation&) const = default;
};

// `hops`: the connections from the client to the server.
Observation Observe(const Plan& plan, const CoreChannel& channel, CoreServer& server, size_t hops);

// Both, line by line; those that differ are marked.
std::string Describe(const Observation& direct, const Observation& proxied);

}  // namespace lanekeeper::testing

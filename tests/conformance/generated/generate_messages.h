// Messages for generated RPCs: mostly small, up to 4 MiB.
#pragma once

#include <vector>

#include "tests/conformance/generated/dice.h"
#include "tests/conformance/generated/plan.h"

namespace lanekeeper::testing {

// Of these, a few fit into any window.
inline constexpr size_t kSmallBytes = 4000;

std::vector<MessagePlan> GenerateMessages(Dice& dice, size_t count);

}  // namespace lanekeeper::testing

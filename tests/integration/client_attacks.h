// Attacks that open streams, as only clients can.
#pragma once

#include <string>
#include <vector>

#include "tests/integration/hostile.h"

namespace lanekeeper::testing {

// The header block of a request.
const std::string& RequestBlock();
// A request on the nth stream behind the first.
std::string Begun(uint32_t nth, const Fields& fields = RequestFields(), uint8_t flags = 0);
std::vector<Attack> AttacksOfClients();

}  // namespace lanekeeper::testing

// The serialization contract: one operation in flight per lane. The types leave no way to start a
// second one by accident (a lane's operation is awaited before the lane is used again); this is the
// proof.
#pragma once

#include "proxy/metrics/cell.h"

namespace lanekeeper {

// Our own bug: counts and logs it; aborts in debug builds.
void ReportContractViolation(Cell& violations, const char* lane);

}  // namespace lanekeeper

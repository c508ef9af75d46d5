// The process_* families that Prometheus's own clients have, and lanekeeper_build_info.
#pragma once

#include "proxy/metrics/metrics.h"

namespace lanekeeper {

void AddProcessSources(Metrics& metrics);

}  // namespace lanekeeper

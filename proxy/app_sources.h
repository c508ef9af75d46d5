// The metrics that are looked up in the App's parts when Prometheus asks, rather than counted.
#pragma once

#include "proxy/app_parts.h"
#include "proxy/observe/metrics.h"

namespace lanekeeper {

// The parts outlive the metrics' last scrape.
void AddAppSources(Metrics& metrics, const AppParts& parts);

}  // namespace lanekeeper

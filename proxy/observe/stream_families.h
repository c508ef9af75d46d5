// The families about streams, summed over all shards. Any thread.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "proxy/observe/metrics.h"

namespace lanekeeper {

void CollectStreamFamilies(const Metrics& metrics, std::vector<prometheus::MetricFamily>& families);

}  // namespace lanekeeper

// The process_* families that Prometheus's own clients have, and lanekeeper_build_info, which tells
// the versions of the libraries that run.
#pragma once

#include <string>

#include "proxy/observe/metrics.h"

namespace lanekeeper {

void AddProcessSources(Metrics& metrics, std::string grpc_version, std::string nghttp2_version);

}  // namespace lanekeeper

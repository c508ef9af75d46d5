// Sets spdlog's default logger up: to stderr, as text or as one JSON object a line. Call once, from
// main.
#pragma once

#include "config/config.h"

namespace lanekeeper {

void SetUpLog(const LogConfig& config);

}  // namespace lanekeeper

// The two forms of a log line. A formatter is used by one thread at a time.
//
//   text: 2026-11-22T08:00:00.000Z warn message key=value key="a value"
//   JSON: {"time":"2026-11-22T08:00:00.000Z","level":"warn","message":"message","key":"value"}
#pragma once

#include <spdlog/formatter.h>

#include <memory>

#include "config/config.h"

namespace lanekeeper {

std::unique_ptr<spdlog::formatter> MakeLogFormatter(LogFormat format);

}  // namespace lanekeeper

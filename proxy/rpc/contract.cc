#include "proxy/rpc/contract.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdlib>

#include "proxy/log/log_setup.h"

namespace lanekeeper {

void ReportContractViolation(Cell& violations, const char* lane) {
  violations.Add(1);
  spdlog::critical("contract violation: a second operation was started on lane {}", lane);
#ifndef NDEBUG
  FlushLog(std::chrono::seconds(1));
  std::abort();
#endif
}

}  // namespace lanekeeper

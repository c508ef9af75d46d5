#include "proxy/rpc/contract.h"

#include <spdlog/spdlog.h>

#include <cstdlib>

namespace lanekeeper {

void ReportContractViolation(Cell& violations, const char* lane) {
  violations.Add(1);
  spdlog::critical("contract violation: a second operation was started on lane {}", lane);
#ifndef NDEBUG
  std::abort();
#endif
}

}  // namespace lanekeeper

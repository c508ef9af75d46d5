#include "tests/bench/load/results.h"

#include <nlohmann/json.hpp>

namespace bench {
namespace {

nlohmann::ordered_json Microseconds(const Histogram& latency) {
  const auto us = [&](uint64_t ns) -> nlohmann::ordered_json {
    if (latency.count() == 0) return nullptr;
    return static_cast<double>(ns) / 1e3;
  };
  return {{"min", us(latency.min_ns())},
          {"p50", us(latency.QuantileNs(0.5))},
          {"p99", us(latency.QuantileNs(0.99))},
          {"p999", us(latency.QuantileNs(0.999))},
          {"max", us(latency.max_ns())}};
}

}  // namespace

void Results::AddError(std::string_view text) {
  if (errors++ == 0) first_error = text;
}

std::string Results::Json(std::string_view workload) const {
  const uint64_t ns = last_completion_ns > started_ns ? last_completion_ns - started_ns : 0;
  const nlohmann::ordered_json line = {{"workload", workload},
                                       {"rpcs", rpcs},
                                       {"messages", messages},
                                       {"bytes", bytes},
                                       {"seconds", static_cast<double>(ns) / 1e9},
                                       {"errors", errors},
                                       {"first_error", first_error},
                                       {"latency_us", Microseconds(latency)}};
  // What a broken peer says need not be UTF-8.
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace bench

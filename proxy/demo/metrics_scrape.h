// Reads a running lanekeeper's /metrics, and the few figures the demo compares with its own.
// Functions without state; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lanekeeper {

// What lanekeeper says about itself.
struct ProxyFigures {
  int64_t downstream_connections = 0;
  int64_t upstream_connections = 0;
  int64_t rpcs = 0;
  int64_t messages_to_upstream = 0;
  int64_t messages_to_downstream = 0;
  int64_t contract_violations = 0;
};

// Sum of the samples of one family in the Prometheus text format, of those that carry `label`
// (written as it appears, `direction="to_upstream"`), or of all when it is empty.
double SumOfSamples(std::string_view text, std::string_view family, std::string_view label = "");

ProxyFigures FiguresIn(std::string_view text);

// GETs http://HOST:PORT/metrics; empty, with the reason in *why, when there is no 200 answer.
std::optional<ProxyFigures> ReadProxyFigures(const std::string& host_port, std::string* why);

}  // namespace lanekeeper

// Reads the few figures of a running lanekeeper's /metrics that the demo compares with its own.
// A function without state; any thread.
#pragma once

#include <cstdint>
#include <string>

namespace lanekeeper {

// What lanekeeper says about itself.
struct ProxyFigures {
  int64_t downstream_connections = 0;
  int64_t upstream_connections = 0;
  int64_t rpcs = 0;
  int64_t messages_to_upstream = 0;
  int64_t messages_to_downstream = 0;
  int64_t contract_violations = 0;
  bool operator==(const ProxyFigures&) const = default;
};

// GETs http://HOST:PORT/metrics; throws std::runtime_error when there is no 200 answer.
ProxyFigures ReadProxyFigures(const std::string& host_port);

}  // namespace lanekeeper

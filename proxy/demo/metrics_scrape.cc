#include "proxy/demo/metrics_scrape.h"

#include <httplib.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace lanekeeper {
namespace {

constexpr std::chrono::seconds kTimeout{5};

// The value of a sample line of the family that carries the label; 0 for every other line.
double SampleValue(std::string_view line, std::string_view family, std::string_view label) {
  if (line.substr(0, family.size()) != family) return 0;
  std::string_view rest = line.substr(family.size());
  std::string_view labels;
  if (!rest.empty() && rest.front() == '{') {
    // A label's value may hold a brace, the sample's value cannot: so the last one ends the labels.
    const size_t end = rest.rfind('}');
    if (end == std::string_view::npos) return 0;
    labels = rest.substr(0, end);
    rest = rest.substr(end + 1);
  }
  // Another family that begins with the same letters goes on here.
  if (rest.empty() || rest.front() != ' ') return 0;
  if (!label.empty() && labels.find(label) == std::string_view::npos) return 0;
  return std::strtod(std::string(rest).c_str(), nullptr);
}

// Sum of the samples of one family in the Prometheus text format, of those that carry `label`
// (written as it appears, `direction="to_upstream"`), or of all when it is empty.
double SumOfSamples(std::string_view text, std::string_view family, std::string_view label) {
  double sum = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    sum += SampleValue(text.substr(0, end), family, label);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return sum;
}

[[noreturn]] void Fail(const std::string& host_port, const std::string& why) {
  throw std::runtime_error("cannot read the metrics at " + host_port + ": " + why);
}

}  // namespace

ProxyFigures ReadProxyFigures(const std::string& host_port) {
  const size_t colon = host_port.rfind(':');
  const int port = colon == std::string::npos ? 0 : std::atoi(host_port.c_str() + colon + 1);
  if (port <= 0) Fail(host_port, "'" + host_port + "' is not HOST:PORT");
  httplib::Client client(host_port.substr(0, colon), port);
  client.set_connection_timeout(kTimeout);
  client.set_read_timeout(kTimeout);
  const httplib::Result result = client.Get("/metrics");
  if (!result) Fail(host_port, httplib::to_string(result.error()));
  if (result->status != 200) {
    Fail(host_port, "/metrics answered " + std::to_string(result->status));
  }
  const auto sum = [&result](std::string_view family, std::string_view label = "") {
    return static_cast<int64_t>(std::llround(SumOfSamples(result->body, family, label)));
  };
  return {
      sum("lanekeeper_downstream_connections"),
      sum("lanekeeper_upstream_connections"),
      sum("grpc_server_started_total"),
      sum("lanekeeper_stream_messages_total", "direction=\"to_upstream\""),
      sum("lanekeeper_stream_messages_total", "direction=\"to_downstream\""),
      sum("lanekeeper_stream_contract_violations_total"),
  };
}

}  // namespace lanekeeper

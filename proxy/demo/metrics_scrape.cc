#include "proxy/demo/metrics_scrape.h"

#include <civetweb.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <memory>

namespace lanekeeper {
namespace {

constexpr int kTimeoutMs = 5000;

struct CloseConnection {
  void operator()(mg_connection* connection) const { mg_close_connection(connection); }
};

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

std::optional<std::string> Get(const std::string& host, int port, std::string* why) {
  std::array<char, 256> error{};
  const std::unique_ptr<mg_connection, CloseConnection> connection(
      mg_connect_client(host.c_str(), port, /*use_ssl=*/0, error.data(), error.size()));
  if (connection == nullptr) {
    *why = error.data();
    return std::nullopt;
  }
  mg_printf(connection.get(), "GET /metrics HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
            host.c_str());
  if (mg_get_response(connection.get(), error.data(), error.size(), kTimeoutMs) < 0) {
    *why = error.data();
    return std::nullopt;
  }
  const int code = mg_get_response_info(connection.get())->status_code;
  if (code != 200) {
    *why = "/metrics answered " + std::to_string(code);
    return std::nullopt;
  }
  std::string body;
  std::array<char, 8192> part{};
  int length = 0;
  while ((length = mg_read(connection.get(), part.data(), part.size())) > 0) {
    body.append(part.data(), static_cast<size_t>(length));
  }
  return body;
}

}  // namespace

double SumOfSamples(std::string_view text, std::string_view family, std::string_view label) {
  double sum = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    sum += SampleValue(text.substr(0, end), family, label);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return sum;
}

ProxyFigures FiguresIn(std::string_view text) {
  const auto sum = [text](std::string_view family, std::string_view label = "") {
    return static_cast<int64_t>(std::llround(SumOfSamples(text, family, label)));
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

std::optional<ProxyFigures> ReadProxyFigures(const std::string& host_port, std::string* why) {
  const size_t colon = host_port.rfind(':');
  const int port = colon == std::string::npos ? 0 : std::atoi(host_port.c_str() + colon + 1);
  if (port <= 0) {
    *why = "'" + host_port + "' is not HOST:PORT";
    return std::nullopt;
  }
  const std::optional<std::string> text = Get(host_port.substr(0, colon), port, why);
  if (!text) return std::nullopt;
  return FiguresIn(*text);
}

}  // namespace lanekeeper

// The HTTP port that Prometheus and Kubernetes ask: /metrics, /livez, /readyz, /startupz.
// Read-only, and open to whoever reaches it. A connection costs no thread before its request head
// is there, and probes have threads of their own, on which nothing waits for a peer: neither who is
// silent or slow nor who does not read its metrics keeps the kubelet from its answer. Owns its
// sockets, threads and connections; serves from when it is made until it is destroyed. It borrows
// the metrics and readiness, which must outlive it.
#pragma once

#include <prometheus/collectable.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "proxy/admin/connection_workers.h"
#include "proxy/admin/entrance.h"
#include "proxy/admin/http_stream.h"

namespace lanekeeper {

class Readiness;

// How much of each there may be; tests choose otherwise.
struct ObservabilityLimits {
  size_t connections = 256;  // in all; one more is closed
  // What has not sent a request head yet, and for how long that may last.
  Entrance::Limits first_bytes{32, std::chrono::seconds(5)};
  // Served at once, and how many wait; one more gets 503.
  ConnectionWorkers::Limits scrapes{4, 32};
  ConnectionWorkers::Limits probes{2, 32};
  HttpStream::Limits scrape{64 * 1024, std::chrono::seconds(1), std::chrono::seconds(2),
                            std::chrono::seconds(10)};
  // What is not there of a head when it is served is not waited for.
  HttpStream::Limits probe{64 * 1024, std::chrono::seconds(0), std::chrono::seconds(1),
                           std::chrono::seconds(1)};
  // How long answers that are on their way may take at the end.
  std::chrono::milliseconds end_grace{300};
};

class ObservabilityServer {
 public:
  // Throws std::runtime_error when the address cannot be listened on.
  ObservabilityServer(const std::string& address, const prometheus::Collectable& metrics,
                      const Readiness& readiness, const ObservabilityLimits& limits = {});
  ObservabilityServer(const ObservabilityServer&) = delete;
  ObservabilityServer& operator=(const ObservabilityServer&) = delete;
  ~ObservabilityServer();

  int port() const { return port_; }
  // "127.0.0.1:9464", the port filled in.
  std::string name() const;

 private:
  class Pages;
  struct Bound {
    std::string host;  // as configured
    std::vector<ListeningSocket> sockets;
  };
  static Bound Bind(const std::string& address);
  ObservabilityServer(Bound bound, const prometheus::Collectable& metrics,
                      const Readiness& readiness, const ObservabilityLimits& limits);

  void OnRequest(Connection connection);

  const ObservabilityLimits limits_;
  const std::string host_;
  const int port_;
  const std::unique_ptr<Pages> scrape_pages_;
  const std::unique_ptr<Pages> probe_pages_;
  // In the order in which a connection passes through, backwards.
  ConnectionWorkers scrapes_;
  ConnectionWorkers probes_;
  Entrance entrance_;
};

}  // namespace lanekeeper

// The HTTP port that Prometheus and Kubernetes ask: /metrics, /livez, /readyz, /startupz. Read-only.
// Owns civetweb's server and its threads; starts when made, ends when destroyed. It borrows the metrics and
// readiness, which must outlive it.
#pragma once

#include <prometheus/collectable.h>

#include <memory>
#include <string>

class CivetServer;

namespace lanekeeper {

class Readiness;

class ObservabilityServer {
 public:
  // Throws std::runtime_error when the address cannot be listened on.
  ObservabilityServer(const std::string& address, const prometheus::Collectable& metrics,
                      const Readiness& readiness);
  ~ObservabilityServer();

  int port() const { return port_; }
  // "127.0.0.1:9464", the port filled in.
  std::string name() const;

 private:
  class MetricsHandler;
  class ProbeHandler;

  std::string host_;
  int port_ = 0;
  std::unique_ptr<MetricsHandler> metrics_;
  std::unique_ptr<ProbeHandler> livez_;
  std::unique_ptr<ProbeHandler> readyz_;
  std::unique_ptr<ProbeHandler> startupz_;
  std::unique_ptr<CivetServer> server_;
};

}  // namespace lanekeeper

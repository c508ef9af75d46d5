// The HTTP port that Prometheus and Kubernetes ask: /metrics, /livez, /readyz, /startupz.
// Read-only. Owns cpp-httplib's server and its threads; serves from when it is made until it is
// destroyed. It borrows the metrics and readiness, which must outlive it.
#pragma once

#include <prometheus/collectable.h>

#include <memory>
#include <string>
#include <thread>

namespace httplib {
class Server;
}

namespace lanekeeper {

class Readiness;

class ObservabilityServer {
 public:
  // Throws std::runtime_error when the address cannot be listened on.
  ObservabilityServer(const std::string& address, const prometheus::Collectable& metrics,
                      const Readiness& readiness);
  ObservabilityServer(const ObservabilityServer&) = delete;
  ObservabilityServer& operator=(const ObservabilityServer&) = delete;
  ~ObservabilityServer();

  int port() const { return port_; }
  // "127.0.0.1:9464", the port filled in.
  std::string name() const;

 private:
  void Bind(const std::string& address);
  void AddPages(const prometheus::Collectable& metrics, const Readiness& readiness);

  std::string host_;
  int port_ = 0;
  std::unique_ptr<httplib::Server> server_;
  std::thread thread_;
};

}  // namespace lanekeeper

// A whole lanekeeper: builds its parts in order, drains, destroys them in reverse. Several may live
// in one process. One thread makes, drains and destroys it; EndDrain may come from another.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "proxy/admin/observability_server.h"
#include "proxy/app_control.h"
#include "proxy/app_parts.h"
#include "proxy/downstream/listener.h"
#include "proxy/observe/metrics.h"
#include "proxy/observe/readiness.h"
#include "proxy/rpc/rpc_registry.h"
#include "proxy/rpc/stuck_detector.h"
#include "proxy/rpc/worker.h"
#include "proxy/upstream/channel.h"

namespace lanekeeper {

class AdminServer;

class App {
 public:
  // Listens and forwards from here on. Throws std::runtime_error, a line for each thing that is
  // wrong with the machine it was to run on (a port in use, say).
  // request_drain is called, from any thread, when somebody asks for a drain at the control
  // address; without it nobody can.
  explicit App(const Config& config, std::function<void()> request_drain = {});
  App(const App&) = delete;
  App& operator=(const App&) = delete;
  // Without a Drain before it, cuts every open RPC off.
  ~App();

  // No new RPCs; returns when the open ones have ended, by themselves within drain.timeout, or
  // cancelled with UNAVAILABLE after it. How many had to be cancelled.
  size_t Drain();
  // Makes a Drain that is under way cancel at once.
  void EndDrain();

  const Listener& listener() const { return listener_; }
  const Metrics& metrics() const { return metrics_; }
  const RpcRegistry& registry() const { return registry_; }
  Control& control() { return control_; }
  // Null when metrics.address is off.
  const ObservabilityServer* observability() const { return observability_.get(); }
  // Null when admin.address is off.
  const AdminServer* admin() const { return admin_.get(); }

 private:
  size_t EndOpenRpcs();
  void LogStart() const;

  const Config config_;
  Readiness readiness_;
  Metrics metrics_;
  RpcRegistry registry_;
  Worker worker_;
  Channel channel_;
  RpcEnvironment environment_;
  Listener listener_;
  StuckDetector stuck_detector_;
  const AppParts parts_;
  AppControl control_;
  std::unique_ptr<ObservabilityServer> observability_;
  std::unique_ptr<AdminServer> admin_;
  std::atomic<bool> drained_{false};
  std::atomic<bool> end_drain_{false};
};

}  // namespace lanekeeper

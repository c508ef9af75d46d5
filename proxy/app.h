// A whole lanekeeper: builds its parts in order, drains, destroys them in reverse. Several may live
// in one process. One thread makes, drains and destroys it; EndDrain may come from another.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/config_source.h"
#include "proxy/admin/control.h"
#include "proxy/admin/observability_server.h"
#include "proxy/downstream/listener.h"
#include "proxy/net/file_watch.h"
#include "proxy/observe/metrics.h"
#include "proxy/observe/readiness.h"
#include "proxy/reload.h"
#include "proxy/rpc/rpc_registry.h"
#include "proxy/rpc/stuck_detector.h"
#include "proxy/rpc/worker.h"
#include "proxy/service.h"
#include "proxy/upstream/channel.h"

namespace lanekeeper {

class AdminServer;

// What whoever runs an App gives it beside its configuration.
struct AppHooks {
  // Called, from any thread, when somebody asks for a drain at the control address; without it
  // nobody can.
  std::function<void()> request_drain;
  // What the configuration was read from, to read it again; without it nobody can.
  std::optional<ConfigSource> source;
  // Called on the loop's thread when the source's file has changed and reload.watch is true:
  // whoever runs the App calls Reload then, on another thread.
  std::function<void()> request_reload;
};

class App final : public Control {
 public:
  // Listens and forwards from here on. Throws std::runtime_error, a line for each thing that is
  // wrong with the machine it was to run on (a port in use, say).
  // Other traits are for tests.
  explicit App(const Config& config, AppHooks hooks = {}, const ChannelTraits& traits = {});
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
  // As the control address sees it. Any thread; takes the registry's locks for moments only.
  Control& control() { return *this; }
  // Any thread. See Control.
  std::optional<ReloadOutcome> Reload(const std::string& who) override;
  Config config() const override { return reloader_.config(); }
  // Null when admin.address is off.
  const AdminServer* admin() const { return admin_.get(); }

 private:
  StreamPage ListStreams(const StreamFilter& filter, StreamId after, size_t max) override;
  std::optional<StreamSnapshot> FindStream(StreamId id) override;
  std::optional<StreamSnapshot> CancelStream(StreamId id, const std::string& reason) override;
  adminpb::Totals Totals() override;
  bool RequestDrain() override;
  std::optional<ReloadOutcome> PreviewReload(const std::optional<ConfigText>& text) override {
    return reloader_.Preview(text);
  }
  std::chrono::system_clock::time_point started() const override { return started_; }

  // The metrics that are looked up in the parts when Prometheus asks, rather than counted.
  void AddSources();
  void NameWindowHolders(StreamSnapshot& stream) const;
  bool TellDelaying();
  size_t EndOpenRpcs();
  void LogStart() const;
  // Puts a configuration into use, all but what needs a restart.
  std::vector<std::string> Apply(const Config& before, const Config& after);
  // On the loop's thread.
  void ReadTlsFiles(const Config& config, Listener::Change& listeners, Channel::Change& upstream);
  // On the loop's thread, or before it runs.
  void WatchFile(bool watch);
  // On the loop's thread; returns when it is done.
  void OnLoop(std::function<void()> work);

  const std::string config_path_;  // empty: there is none
  Reloader reloader_;
  Readiness readiness_;
  Metrics metrics_;
  RpcRegistry registry_;
  Worker worker_;
  Channel channel_;
  RpcEnvironment environment_;
  Listener listener_;
  StuckDetector stuck_detector_;
  Watchdog watchdog_;
  const std::function<void()> request_drain_;
  const std::function<void()> request_reload_;
  std::optional<FileWatch> config_watch_;
  std::atomic<bool> drain_requested_{false};
  const std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  std::unique_ptr<ObservabilityServer> observability_;
  std::unique_ptr<AdminServer> admin_;
  std::atomic<bool> drained_{false};
  std::atomic<bool> end_drain_{false};
};

}  // namespace lanekeeper

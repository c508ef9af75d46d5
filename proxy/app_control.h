// The proxy as the control address sees it: lists, totals, cancels. Owned by the App, whose parts it
// borrows. Any thread; takes the registry's locks for moments only.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "config/config.h"
#include "proxy/admin/control.h"
#include "proxy/downstream/listener.h"
#include "proxy/lifecycle/readiness.h"
#include "proxy/metrics/metrics.h"
#include "proxy/rpc/rpc_registry.h"
#include "proxy/rpc/stuck_detector.h"
#include "proxy/upstream/connection_count.h"
#include "proxy/upstream/shared_channel.h"
#include "proxy/upstream/upstream_watch.h"

namespace lanekeeper {

class AppControl final : public Control {
 public:
  struct Parts {
    const Config& config;
    const Readiness& readiness;
    const Metrics& metrics;
    SharedChannel& channel;
    const UpstreamWatch& upstream_watch;
    RpcRegistry& registry;
    const StuckDetector& stuck_detector;
    const Listener& listener;
  };

  // request_drain may be empty: then nobody listens to that.
  AppControl(const Parts& parts, std::function<void()> request_drain);

  StreamPage ListStreams(const StreamFilter& filter, StreamId after, size_t max) override;
  std::optional<StreamSnapshot> FindStream(StreamId id) override;
  std::optional<StreamSnapshot> CancelStream(StreamId id, const std::string& reason) override;
  StreamTotals Totals() override;
  bool RequestDrain() override;
  const Config& config() const override { return parts_.config; }
  std::chrono::system_clock::time_point started() const override { return started_; }

 private:
  const Parts parts_;
  const std::function<void()> request_drain_;
  const UpstreamPeers upstream_peers_;
  const std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
};

}  // namespace lanekeeper

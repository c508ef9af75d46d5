// The parts of an App that others look at, each owned by the App. Outlives whoever borrows it.
#pragma once

#include "config/config.h"
#include "proxy/downstream/listener.h"
#include "proxy/lifecycle/readiness.h"
#include "proxy/metrics/metrics.h"
#include "proxy/rpc/rpc_registry.h"
#include "proxy/rpc/stuck_detector.h"
#include "proxy/threads/rpc_threads.h"
#include "proxy/upstream/shared_channel.h"
#include "proxy/upstream/upstream_watch.h"

namespace lanekeeper {

struct AppParts {
  const Config& config;
  const Readiness& readiness;
  const Metrics& metrics;
  SharedChannel& channel;
  const UpstreamWatch& upstream_watch;
  RpcRegistry& registry;
  const StuckDetector& stuck_detector;
  const RpcThreads& threads;
  const Listener& listener;
};

}  // namespace lanekeeper

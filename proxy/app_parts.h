// The parts of an App that others look at, each owned by the App. Outlives whoever borrows it.
#pragma once

#include "config/config.h"
#include "proxy/downstream/listener.h"
#include "proxy/observe/metrics.h"
#include "proxy/observe/readiness.h"
#include "proxy/rpc/rpc_registry.h"
#include "proxy/rpc/stuck_detector.h"
#include "proxy/rpc/worker.h"
#include "proxy/upstream/channel.h"

namespace lanekeeper {

struct AppParts {
  const Config& config;
  const Readiness& readiness;
  const Metrics& metrics;
  const Channel& channel;
  RpcRegistry& registry;
  const StuckDetector& stuck_detector;
  const Worker& worker;
  const Listener& listener;
};

}  // namespace lanekeeper

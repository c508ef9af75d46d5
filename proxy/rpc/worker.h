// One worker: an event loop, the executor that runs its RPCs, and the numbers that they count in.
// Made before what uses it; Start and Stop by whoever owns it, Stop returns when every thread of it
// has ended. Nothing runs before Start or after Stop, so what lives on the loop may be made before
// and destroyed after.
#pragma once

#include <memory>
#include <thread>

#include "config/config.h"
#include "proxy/observe/metrics.h"
#include "proxy/rpc/executor.h"
#include "proxy/rpc/rpc_registry.h"

namespace lanekeeper {

class Worker {
 public:
  Worker(RpcThreadKind kind, RpcRegistry& registry, Metrics& metrics);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() { Stop(); }

  void Start();
  void Stop();

  EventLoop& loop() { return loop_; }
  const EventLoop& loop() const { return loop_; }
  Executor& executor() { return *executor_; }
  const Executor& executor() const { return *executor_; }
  RpcShard& rpcs() { return rpcs_; }
  MetricShard& metrics() { return metrics_; }

 private:
  void MeasureLag();

  EventLoop loop_;
  MetricShard& metrics_;
  std::unique_ptr<Executor> executor_;
  RpcShard& rpcs_;
  TimerOf<Worker, &Worker::MeasureLag> lag_timer_;
  std::thread thread_;
};

}  // namespace lanekeeper

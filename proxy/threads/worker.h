// One completion queue and whoever runs the RPCs that came on it: in kind `user` one OS thread that
// runs them all (user_worker.h), in kind `kernel` a crew of threads, one per RPC, that take turns
// (crew.h). An RPC stays with the worker that accepted it, so its two directions never race.
// Made before the server, started with it or later; Stop comes after the server's shutdown, when no
// RPC is left, and returns when every thread has ended.
#pragma once

#include <grpc/grpc.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "proxy/downstream/acceptor.h"
#include "proxy/metrics/metrics.h"
#include "proxy/rpc/rpc_registry.h"
#include "proxy/threads/rpc_loop.h"

namespace lanekeeper {

// What workers work with. Outlives them.
struct WorkerContext {
  RpcEnvironment& environment;
  RpcRegistry& registry;
  Metrics& metrics;
};

class Worker : protected CallHandler {
 public:
  Worker(int index, const WorkerContext& context)
      : index_(index),
        context_(context),
        rpcs_(context.registry.shard(static_cast<size_t>(index))),
        metrics_(context.metrics) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  virtual ~Worker() = default;

  void AddQueue(grpc::ServerBuilder& builder) {
    queue_ = builder.AddCompletionQueue();
    loop_.emplace(queue_->cq(), *metrics_);
  }
  void Start(grpc_server* server) {
    acceptor_.emplace(server, queue_->cq(), static_cast<CallHandler&>(*this));
    loop_->MeasureLag();
    StartThreads();
  }
  void Stop() {
    if (!queue_) return;
    queue_->Shutdown();
    // Core wants every queue drained, those of workers that were never started too.
    if (!JoinThreads()) loop_->Run();
    loop_.reset();
    queue_.reset();
  }

  // How long it has had nothing to do, in all. Any thread, once started.
  std::chrono::nanoseconds waited() const { return loop_->waited(); }
  // OS threads that have no RPC and would take one. Any thread.
  virtual int64_t idle_threads() const { return 0; }

 protected:
  virtual void StartThreads() = 0;
  // False if none had been started.
  virtual bool JoinThreads() = 0;

  const int index_;
  const WorkerContext context_;
  RpcRegistry::Shard& rpcs_;
  ShardLease metrics_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::optional<RpcLoop> loop_;
  std::optional<Acceptor> acceptor_;
};

}  // namespace lanekeeper

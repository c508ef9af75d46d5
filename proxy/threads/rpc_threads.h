// How RPCs get their threads: one interface, two kinds (user_threads.h, kernel_threads.h).
// Made before the server, whose builder it gives its completion queues to; started with it; ended
// after the server has been shut down, when no RPC is left.
#pragma once

#include <grpc/grpc.h>
#include <grpcpp/server_builder.h>

#include <cstdint>
#include <memory>

#include "config/config.h"
#include "proxy/metrics/metrics.h"
#include "proxy/rpc/rpc_registry.h"

namespace lanekeeper {

class RpcThreads {
 public:
  struct Counts {
    int64_t busy = 0;
    int64_t idle = 0;
  };

  virtual ~RpcThreads() = default;

  virtual void AddQueues(grpc::ServerBuilder& builder) = 0;
  virtual void Start(grpc_server* server) = 0;
  // After the server's shutdown; returns when every thread has ended.
  virtual void Stop() = 0;

  // Threads that run RPCs or could: in kind user, user-level threads (busy: one per open RPC).
  virtual Counts counts() const = 0;
  virtual RpcThreadKind kind() const = 0;
};

// What both kinds work with. Outlives them.
struct RpcThreadsContext {
  RpcEnvironment& environment;
  RpcRegistry& registry;
  Metrics& metrics;
};

std::unique_ptr<RpcThreads> MakeRpcThreads(const RpcThreadsConfig& config,
                                           const RpcThreadsContext& context);

// How many workers `config` asks for on this machine.
int WorkerCount(const RpcThreadsConfig& config);

}  // namespace lanekeeper

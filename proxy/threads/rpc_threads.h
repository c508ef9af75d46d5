// The threads that run RPCs, of either kind: the workers, and who starts them. A fixed number of
// workers all run from the start. Otherwise the first does, and others join one by one, to stay,
// when those that run are busy and the machine has CPUs to spare.
// Made before the server, whose builder it gives its completion queues to; started with it; ended
// after the server has been shut down, when no RPC is left.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "config/config.h"
#include "proxy/threads/worker.h"

namespace lanekeeper {

class RpcThreads {
 public:
  RpcThreads(const RpcThreadsConfig& config, const WorkerContext& context);
  RpcThreads(const RpcThreads&) = delete;
  RpcThreads& operator=(const RpcThreads&) = delete;
  ~RpcThreads();

  void AddQueues(grpc::ServerBuilder& builder);
  void Start(grpc_server* server);
  // After the server's shutdown; returns when every thread has ended.
  void Stop();

  // Threads that run RPCs or could: busy ones run one each; idle ones are OS threads that wait for
  // one, in kind `kernel`.
  struct Counts {
    int64_t busy = 0;
    int64_t idle = 0;
  };
  Counts counts() const;
  RpcThreadKind kind() const { return config_.kind; }

 private:
  // On the joiner's thread: starts the workers that are still to join, as the load asks for them.
  void StartOnDemand(grpc_server* server);

  const RpcThreadsConfig config_;
  const WorkerContext context_;
  std::vector<std::unique_ptr<Worker>> workers_;

  std::mutex joiner_mutex_;
  std::condition_variable joiner_wake_;
  bool stopping_ = false;
  std::thread joiner_;
};

// How many workers `config` asks for on this machine.
int WorkerCount(const RpcThreadsConfig& config);

}  // namespace lanekeeper

// User-level threads: every RPC is a group of coroutines, run M:N by a few workers, each an OS
// thread with one completion queue. An RPC stays on the worker that accepted it, so its two
// directions never race. A fixed number of workers all run from the start. Otherwise the first
// does, and others join one by one, to stay, when those that run are busy and the machine has CPUs
// to spare.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "proxy/downstream/acceptor.h"
#include "proxy/threads/rpc_loop.h"
#include "proxy/threads/rpc_threads.h"

namespace lanekeeper {

class UserThreads final : public RpcThreads {
 public:
  enum class Workers { kFixed, kOnDemand };
  UserThreads(int count, Workers workers, const RpcThreadsContext& context);
  ~UserThreads() override;

  void AddQueues(grpc::ServerBuilder& builder) override;
  void Start(grpc_server* server) override;
  void Stop() override;
  Counts counts() const override;
  RpcThreadKind kind() const override { return RpcThreadKind::kUser; }

 private:
  class Worker final : public CallHandler, public RpcOwner {
   public:
    Worker(int index, const RpcThreadsContext& context);

    void AddQueue(grpc::ServerBuilder& builder);
    void Start(grpc_server* server);
    void Stop();
    pthread_t thread() { return thread_.native_handle(); }

    grpc_completion_queue* TakeQueue() override { return queue_->cq(); }
    void ReturnQueue(grpc_completion_queue*) override {}
    void OnCall(IncomingCall incoming, grpc_completion_queue* queue) override;
    void OnRpcEnded(Rpc& rpc) override;

   private:
    const int index_;
    const RpcThreadsContext context_;
    RpcRegistry::Shard& rpcs_;
    ShardLease metrics_;
    std::unique_ptr<grpc::ServerCompletionQueue> queue_;
    std::optional<RpcLoop> loop_;
    std::optional<Acceptor> acceptor_;
    std::thread thread_;
  };

  // On the joiner's thread: starts the workers that are still to join, as the load asks for them.
  void StartOnDemand(grpc_server* server);

  const RpcThreadsContext context_;
  const Workers start_;
  std::deque<Worker> workers_;

  std::mutex joiner_mutex_;
  std::condition_variable joiner_wake_;
  bool stopping_ = false;
  std::thread joiner_;
};

}  // namespace lanekeeper

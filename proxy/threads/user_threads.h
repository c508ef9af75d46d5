// User-level threads: every RPC is a group of coroutines, run M:N by a few workers, each an OS thread with
// one completion queue. An RPC stays on the worker that accepted it, so its two directions never race.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <thread>

#include "proxy/downstream/acceptor.h"
#include "proxy/threads/rpc_loop.h"
#include "proxy/threads/rpc_threads.h"

namespace lanekeeper {

class UserThreads final : public RpcThreads {
 public:
  UserThreads(int workers, const RpcThreadsContext& context);

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

    grpc_completion_queue* TakeQueue() override { return queue_->cq(); }
    void ReturnQueue(grpc_completion_queue*) override {}
    void OnCall(IncomingCall incoming, grpc_completion_queue* queue) override;
    void OnRpcEnded(Rpc& rpc) override;

   private:
    void Run(grpc_server* server);

    const int index_;
    const RpcThreadsContext context_;
    RpcRegistry::Shard& rpcs_;
    ShardLease metrics_;
    std::unique_ptr<grpc::ServerCompletionQueue> queue_;
    std::optional<RpcLoop> loop_;
    std::optional<Acceptor> acceptor_;
    std::thread thread_;
  };

  const RpcThreadsContext context_;
  std::deque<Worker> workers_;
};

}  // namespace lanekeeper

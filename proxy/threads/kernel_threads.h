// Kernel threads: every RPC runs on an OS thread of its own, with a completion queue of its own,
// named after its method. Threads are pooled: an idle one takes the next RPC, and ends after a
// while without. One more thread accepts calls and hands them out.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "proxy/downstream/acceptor.h"
#include "proxy/threads/rpc_loop.h"
#include "proxy/threads/rpc_threads.h"

namespace lanekeeper {

class KernelThreads final : public RpcThreads, private CallHandler {
 public:
  explicit KernelThreads(const RpcThreadsContext& context);
  ~KernelThreads() override;

  void AddQueues(grpc::ServerBuilder& builder) override;
  void Start(grpc_server* server) override;
  void Stop() override;
  Counts counts() const override;
  RpcThreadKind kind() const override { return RpcThreadKind::kKernel; }

 private:
  class RpcThread;
  struct Job {
    IncomingCall incoming;
    grpc_completion_queue* queue;
  };

  // On the accepting thread.
  grpc_completion_queue* TakeQueue() override;
  void ReturnQueue(grpc_completion_queue* queue) override;
  void OnCall(IncomingCall incoming, grpc_completion_queue* queue) override;

  // Gives the job to a thread; false, with the job untouched, when none could be started.
  bool Run(Job& job);
  // On an RPC thread that has nothing to do: waits for the next job; empty when it should end.
  std::optional<Job> AwaitJob(RpcThread& thread);

  const RpcThreadsContext context_;
  ShardLease metrics_;
  std::unique_ptr<grpc::ServerCompletionQueue> notifications_;
  std::optional<RpcLoop> loop_;
  std::optional<Acceptor> acceptor_;
  std::thread accepting_;

  mutable std::mutex mutex_;
  bool stopping_ = false;
  size_t next_shard_ = 0;
  std::list<RpcThread> threads_;
  std::vector<RpcThread*> idle_;   // last in, first out: the warmest stack is taken next
  std::vector<RpcThread*> ended_;  // to be joined
};

}  // namespace lanekeeper

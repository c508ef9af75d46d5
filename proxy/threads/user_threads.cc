#include "proxy/threads/user_threads.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/threads/refuse.h"
#include "proxy/threads/thread_name.h"

namespace lanekeeper {

UserThreads::UserThreads(int workers, const RpcThreadsContext& context) : context_(context) {
  for (int i = 0; i < workers; ++i) workers_.emplace_back(i, context);
}

void UserThreads::AddQueues(grpc::ServerBuilder& builder) {
  for (Worker& worker : workers_) worker.AddQueue(builder);
}

void UserThreads::Start(grpc_server* server) {
  for (Worker& worker : workers_) worker.Start(server);
}

void UserThreads::Stop() {
  for (Worker& worker : workers_) worker.Stop();
}

RpcThreads::Counts UserThreads::counts() const { return {context_.registry.open(), 0}; }

UserThreads::Worker::Worker(int index, const RpcThreadsContext& context)
    : index_(index),
      context_(context),
      rpcs_(context.registry.shard(static_cast<size_t>(index))),
      metrics_(context.metrics) {}

void UserThreads::Worker::AddQueue(grpc::ServerBuilder& builder) {
  queue_ = builder.AddCompletionQueue();
  loop_.emplace(queue_->cq(), *metrics_, RpcLoop::Writes::kCoalesced);
}

void UserThreads::Worker::Start(grpc_server* server) {
  acceptor_.emplace(server, queue_->cq(), *this);
  thread_ = std::thread([this] {
    SetThreadName(fmt::format("lk-worker-{}", index_));
    loop_->Run();
  });
}

void UserThreads::Worker::Stop() {
  if (!queue_) return;
  queue_->Shutdown();
  if (thread_.joinable()) thread_.join();
  else loop_->Run();  // never started: core still wants the queue drained
}

void UserThreads::Worker::OnCall(IncomingCall incoming, grpc_completion_queue*) {
  if (!context_.registry.TryAdmit()) {
    Refuse(std::move(incoming), RejectReason::kOpenRpcs, *metrics_);
    return;
  }
  rpcs_.Open(std::move(incoming), context_.environment, *loop_, *this).Start();
}

void UserThreads::Worker::OnRpcEnded(Rpc& rpc) { rpcs_.Close(rpc); }

}  // namespace lanekeeper

#include "proxy/threads/user_threads.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>
#include <vector>

#include "proxy/threads/refuse.h"
#include "proxy/threads/thread_name.h"
#include "proxy/threads/worker_load.h"

namespace lanekeeper {
namespace {

constexpr auto kLookInterval = std::chrono::milliseconds(200);

}  // namespace

UserThreads::UserThreads(int count, Workers workers, const RpcThreadsContext& context)
    : context_(context), start_(workers) {
  for (int i = 0; i < count; ++i) workers_.emplace_back(i, context);
}

UserThreads::~UserThreads() { Stop(); }

void UserThreads::AddQueues(grpc::ServerBuilder& builder) {
  for (Worker& worker : workers_) worker.AddQueue(builder);
}

void UserThreads::Start(grpc_server* server) {
  if (start_ == Workers::kFixed) {
    for (Worker& worker : workers_) worker.Start(server);
    return;
  }
  workers_.front().Start(server);
  if (workers_.size() > 1) joiner_ = std::thread([this, server] { StartOnDemand(server); });
}

void UserThreads::StartOnDemand(grpc_server* server) {
  SetThreadName("lk-joiner");
  std::vector<pthread_t> running = {workers_.front().thread()};
  WorkerLoad load;
  std::unique_lock lock(joiner_mutex_);
  while (running.size() < workers_.size()) {
    if (joiner_wake_.wait_for(lock, kLookInterval, [this] { return stopping_; })) return;
    const WorkerLoad::Use use = load.Look(running);
    if (!AnotherWorkerHelps(use.least_busy, use.idle_cpus)) continue;
    Worker& next = workers_[running.size()];
    next.Start(server);
    running.push_back(next.thread());
    spdlog::info("worker {} of {} joins: the others are busy", running.size(), workers_.size());
  }
}

void UserThreads::Stop() {
  {
    std::lock_guard lock(joiner_mutex_);
    stopping_ = true;
  }
  joiner_wake_.notify_one();
  if (joiner_.joinable()) joiner_.join();
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
    loop_->MeasureLag();
    loop_->Run();
  });
}

void UserThreads::Worker::Stop() {
  if (!queue_) return;
  queue_->Shutdown();
  if (thread_.joinable())
    thread_.join();
  else
    loop_->Run();  // never started: core still wants the queue drained
  loop_.reset();
  queue_.reset();
}

void UserThreads::Worker::OnCall(IncomingCall incoming, grpc_completion_queue*) {
  if (const auto reason = context_.registry.TryAdmit()) {
    Refuse(std::move(incoming), *reason, context_.environment, *metrics_);
    return;
  }
  rpcs_.Open(std::move(incoming), context_.environment, *loop_, *this).Start();
}

void UserThreads::Worker::OnRpcEnded(Rpc& rpc) { rpcs_.Close(rpc); }

}  // namespace lanekeeper

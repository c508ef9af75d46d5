#include "proxy/threads/rpc_threads.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "proxy/threads/cpu_quota.h"
#include "proxy/threads/crew.h"
#include "proxy/threads/futex_slots.h"
#include "proxy/threads/thread_name.h"
#include "proxy/threads/user_worker.h"
#include "proxy/threads/worker_load.h"

namespace lanekeeper {
namespace {

constexpr auto kLookInterval = std::chrono::milliseconds(200);

std::unique_ptr<Worker> MakeWorker(RpcThreadKind kind, int index, const WorkerContext& context) {
  if (kind == RpcThreadKind::kKernel) return std::make_unique<Crew>(index, context);
  return std::make_unique<UserWorker>(index, context);
}

}  // namespace

int WorkerCount(const RpcThreadsConfig& config) {
  return config.workers ? *config.workers : UsableCpus("/");
}

RpcThreads::RpcThreads(const RpcThreadsConfig& config, const WorkerContext& context)
    : config_(config), context_(context) {
  if (config.kind == RpcThreadKind::kKernel) EnlargeFutexTable();
  for (int i = 0; i < WorkerCount(config); ++i) {
    workers_.push_back(MakeWorker(config.kind, i, context));
  }
}

RpcThreads::~RpcThreads() { Stop(); }

void RpcThreads::AddQueues(grpc::ServerBuilder& builder) {
  for (auto& worker : workers_) worker->AddQueue(builder);
}

void RpcThreads::Start(grpc_server* server) {
  if (config_.workers) {
    for (auto& worker : workers_) worker->Start(server);
    return;
  }
  workers_.front()->Start(server);
  if (workers_.size() > 1) joiner_ = std::thread([this, server] { StartOnDemand(server); });
}

void RpcThreads::StartOnDemand(grpc_server* server) {
  SetThreadName("lk-joiner");
  std::vector<const Worker*> running = {workers_.front().get()};
  WorkerLoad load;
  std::unique_lock lock(joiner_mutex_);
  while (running.size() < workers_.size()) {
    if (joiner_wake_.wait_for(lock, kLookInterval, [this] { return stopping_; })) return;
    std::vector<std::chrono::nanoseconds> waited;
    for (const Worker* worker : running) waited.push_back(worker->waited());
    const WorkerLoad::Use use = load.Look(waited);
    if (!AnotherWorkerHelps(use.least_busy, use.idle_cpus)) continue;
    Worker& next = *workers_[running.size()];
    next.Start(server);
    running.push_back(&next);
    spdlog::info("worker {} of {} joins: the others are busy", running.size(), workers_.size());
  }
}

void RpcThreads::Stop() {
  {
    std::lock_guard lock(joiner_mutex_);
    stopping_ = true;
  }
  joiner_wake_.notify_one();
  if (joiner_.joinable()) joiner_.join();
  for (auto& worker : workers_) worker->Stop();
}

RpcThreads::Counts RpcThreads::counts() const {
  Counts counts{context_.registry.open(), 0};
  for (const auto& worker : workers_) counts.idle += worker->idle_threads();
  return counts;
}

}  // namespace lanekeeper

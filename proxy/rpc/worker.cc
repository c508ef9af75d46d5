#include "proxy/rpc/worker.h"

#include "proxy/base/thread_name.h"

namespace lanekeeper {
namespace {

constexpr Instant kLagInterval = 500'000'000;

}  // namespace

Worker::Worker(RpcThreadKind kind, RpcRegistry& registry, Metrics& metrics)
    : metrics_(metrics.AddShard()),
      executor_(Executor::Make(kind, loop_)),
      rpcs_(registry.AddShard(loop_)),
      lag_timer_(loop_.timers(), *this) {}

void Worker::Start() {
  lag_timer_.Set(InstantNow() + kLagInterval);
  thread_ = std::thread([this] {
    SetThreadName("lk-worker-0");
    executor_->Drive();
  });
}

void Worker::Stop() {
  loop_.Stop();
  if (thread_.joinable()) thread_.join();
}

void Worker::MeasureLag() {
  const Instant late = loop_.now() - lag_timer_.due();
  metrics_.loop_lag.Observe(std::chrono::nanoseconds(late));
  lag_timer_.Set(loop_.now() + kLagInterval);
}

}  // namespace lanekeeper

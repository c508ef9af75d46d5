// Coroutines without what they wait for: resuming one, and one from its start to its end.
#include <benchmark/benchmark.h>

#include "proxy/base/task.h"
#include "tests/bench/micro/kernel.h"

namespace lanekeeper {
namespace {

struct Gate {
  std::coroutine_handle<> waiter;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) noexcept { waiter = handle; }
  void await_resume() const noexcept {}
};

class Owner {
 public:
  Pool& pool() { return pool_; }

  Detached PassUntil(Gate& gate, const bool& stop, int64_t& passed) {
    while (!stop) {
      co_await gate;
      ++passed;
    }
  }

  // Not inlined into its caller, whose frame it would then share.
  [[gnu::noinline]] Detached AddOne(int64_t& sum) {
    ++sum;
    co_return;
  }

 private:
  Pool pool_;
};

LANEKEEPER_KERNEL void KernelTaskResume(Gate& gate) { gate.waiter.resume(); }

LANEKEEPER_KERNEL void KernelTaskStart(Owner& owner, int64_t& sum) { owner.AddOne(sum); }

void TaskResume(benchmark::State& state) {
  Owner owner;
  Gate gate;
  bool stop = false;
  int64_t passed = 0;
  owner.PassUntil(gate, stop, passed);
  for (auto _ : state) KernelTaskResume(gate);
  if (passed != state.iterations()) state.SkipWithError("did not pass once each");
  stop = true;
  gate.waiter.resume();
}
BENCHMARK(TaskResume)->Name("task/resume");

void TaskStart(benchmark::State& state) {
  Owner owner;
  int64_t sum = 0;
  for (auto _ : state) KernelTaskStart(owner, sum);
  if (sum != state.iterations()) state.SkipWithError("did not run once each");
}
BENCHMARK(TaskStart)->Name("task/start");

}  // namespace
}  // namespace lanekeeper

// Coroutines without what they wait for: resuming one, awaiting a new one, and two side by side.
#include <benchmark/benchmark.h>

#include "proxy/threads/task.h"
#include "tests/bench/micro/kernel.h"

namespace lanekeeper {
namespace {

struct Gate {
  std::coroutine_handle<> waiter;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) noexcept { waiter = handle; }
  void await_resume() const noexcept {}
};

Task PassUntil(Gate& gate, const bool& stop, int64_t& passed) {
  while (!stop) {
    co_await gate;
    ++passed;
  }
}

// Not inlined into its caller, whose frame it would then share.
[[gnu::noinline]] Task AddOne(int64_t& sum) {
  ++sum;
  co_return;
}

Detached AwaitOne(int64_t& sum) { co_await AddOne(sum); }

Detached AwaitTwo(int64_t& sum) { co_await WhenAll(AddOne(sum), AddOne(sum)); }

LANEKEEPER_KERNEL void KernelTaskResume(Gate& gate) { gate.waiter.resume(); }

LANEKEEPER_KERNEL void KernelTaskAwait(int64_t& sum) { AwaitOne(sum); }

LANEKEEPER_KERNEL void KernelTaskWhenAll(int64_t& sum) { AwaitTwo(sum); }

void TaskResume(benchmark::State& state) {
  Gate gate;
  bool stop = false;
  int64_t passed = 0;
  [](Gate& at, const bool& until, int64_t& count) -> Detached {
    co_await PassUntil(at, until, count);
  }(gate, stop, passed);
  for (auto _ : state) KernelTaskResume(gate);
  if (passed != state.iterations()) state.SkipWithError("did not pass once each");
  stop = true;
  gate.waiter.resume();
}
BENCHMARK(TaskResume)->Name("task/resume");

void TaskAwait(benchmark::State& state) {
  int64_t sum = 0;
  for (auto _ : state) KernelTaskAwait(sum);
  if (sum != state.iterations()) state.SkipWithError("did not run once each");
}
BENCHMARK(TaskAwait)->Name("task/await");

void TaskWhenAll(benchmark::State& state) {
  int64_t sum = 0;
  for (auto _ : state) KernelTaskWhenAll(sum);
  if (sum != 2 * state.iterations()) state.SkipWithError("did not run twice each");
}
BENCHMARK(TaskWhenAll)->Name("task/when_all");

}  // namespace
}  // namespace lanekeeper

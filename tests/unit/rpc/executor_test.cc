#include "proxy/rpc/executor.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "proxy/base/task.h"

namespace lanekeeper {
namespace {

// A fiber that waits, runs when woken, and writes down on which OS thread.
class Runner {
 public:
  Runner(EventLoop& loop, Executor& executor)
      : loop_(loop), executor_(executor), fiber_(loop.ready()) {}
  ~Runner() { executor_.Release(fiber_); }

  Pool& pool() { return loop_.pool(); }
  void Wake() { fiber_.Wake(waiter_); }
  Detached Run(int turns) {
    for (int i = 0; i < turns; ++i) {
      co_await *this;
      threads.push_back(std::this_thread::get_id());
    }
  }

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) { waiter_ = waiter; }
  void await_resume() const {}

  std::vector<std::thread::id> threads;

 private:
  EventLoop& loop_;
  Executor& executor_;
  Fiber fiber_;
  std::coroutine_handle<> waiter_;
};

class ExecutorTest : public ::testing::TestWithParam<RpcThreadKind> {};
INSTANTIATE_TEST_SUITE_P(RpcThreads, ExecutorTest,
                         ::testing::Values(RpcThreadKind::kUser, RpcThreadKind::kKernel));

TEST_P(ExecutorTest, AFiberKeepsItsThread) {
  constexpr int kFibers = 20;
  constexpr int kTurns = 5;
  EventLoop loop;
  const std::unique_ptr<Executor> executor = Executor::Make(GetParam(), loop);
  std::vector<std::unique_ptr<Runner>> runners;
  for (int i = 0; i < kFibers; ++i) {
    runners.push_back(std::make_unique<Runner>(loop, *executor));
    runners.back()->Run(kTurns);
  }
  std::atomic<size_t> turns_seen{0};
  std::thread driver([&] { executor->Drive(); });
  for (int turn = 0; turn < kTurns; ++turn) {
    loop.Post([&] {
      for (const auto& runner : runners) runner->Wake();
    });
    while (turns_seen <= static_cast<size_t>(turn)) {
      loop.Post([&] { turns_seen = runners.back()->threads.size(); });
      std::this_thread::yield();
    }
  }
  loop.Stop();
  driver.join();
  std::set<std::thread::id> all;
  for (const auto& runner : runners) {
    ASSERT_EQ(runner->threads.size(), static_cast<size_t>(kTurns));
    const std::set<std::thread::id> own(runner->threads.begin(), runner->threads.end());
    EXPECT_EQ(own.size(), 1u);
    all.insert(own.begin(), own.end());
  }
  EXPECT_EQ(all.size(), GetParam() == RpcThreadKind::kKernel ? static_cast<size_t>(kFibers) : 1u);
  runners.clear();
}

}  // namespace
}  // namespace lanekeeper

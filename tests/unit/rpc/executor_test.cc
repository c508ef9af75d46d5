#include "proxy/rpc/executor.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
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
      if (on_turn) on_turn(i);
    }
    executor_.Release(fiber_);
  }

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) { waiter_ = waiter; }
  void await_resume() const {}

  std::vector<std::thread::id> threads;
  std::function<void(int turn)> on_turn;

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

// What lives on an executor's loop, and what has run on it in which order.
class RunnersTest : public ::testing::Test {
 protected:
  static constexpr size_t kFibers = 8;

  void Make(size_t count, int turns) {
    for (size_t i = 0; i < count; ++i) {
      const size_t number = runners_.size();
      runners_.push_back(std::make_unique<Runner>(loop_, *executor_));
      runners_.back()->on_turn = [this, number](int) { order_.push_back(number); };
      runners_.back()->Run(turns);
    }
  }
  void Wake(size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) runners_[i]->Wake();
  }
  // Wakes fibers up to the first number, which run, and then up to the second.
  void Drive(size_t first, size_t second, size_t turns) {
    std::thread driver([&] { executor_->Drive(); });
    loop_.Post([&] { Wake(0, first); });
    AwaitTurns(first);
    loop_.Post([&] { Wake(0, second); });
    AwaitTurns(turns);
    loop_.Stop();
    driver.join();
  }
  std::set<std::thread::id> Threads(int turn) const {
    std::set<std::thread::id> all;
    for (const auto& runner : runners_) {
      if (runner->threads.size() > static_cast<size_t>(turn)) {
        all.insert(runner->threads[static_cast<size_t>(turn)]);
      }
    }
    return all;
  }

  EventLoop loop_;
  const std::unique_ptr<Executor> executor_ = Executor::Make(RpcThreadKind::kKernel, loop_);
  std::vector<std::unique_ptr<Runner>> runners_;
  std::vector<size_t> order_;

 private:
  void AwaitTurns(size_t count) {
    for (size_t seen = 0; seen < count;) {
      std::promise<size_t> answer;
      loop_.Post([&] { answer.set_value(order_.size()); });
      seen = answer.get_future().get();
    }
  }
};

TEST_F(RunnersTest, ThreadsOfFibersThatEndTakeTheNewOnes) {
  Make(kFibers, 2);
  Make(kFibers, 1);
  Drive(kFibers, 2 * kFibers, 3 * kFibers);
  EXPECT_EQ(Threads(0).size(), kFibers);
}

TEST_F(RunnersTest, TheSocketsAreLookedAtWhenHalfOfTheReadyFibersHaveRun) {
  Make(kFibers, 2);
  Make(1, 1);
  // What the first fiber of the second round causes.
  runners_[0]->on_turn = [&](int turn) {
    order_.push_back(0);
    if (turn == 1) loop_.Post([&] { Wake(kFibers, kFibers + 1); });
  };
  Drive(kFibers, kFibers, 2 * kFibers + 1);
  const auto late = std::find(order_.begin(), order_.end(), kFibers);
  EXPECT_LT(late - order_.begin(), static_cast<ptrdiff_t>(2 * kFibers));
}

}  // namespace
}  // namespace lanekeeper

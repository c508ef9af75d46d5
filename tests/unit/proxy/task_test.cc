#include "proxy/threads/task.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace lanekeeper {
namespace {

using ::testing::ElementsAre;

// Suspends until resumed by hand.
struct Gate {
  std::coroutine_handle<> waiter;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) noexcept { waiter = handle; }
  void await_resume() const noexcept {}
};

Task Note(std::vector<std::string>& log, std::string text) {
  log.push_back(std::move(text));
  co_return;
}

Task NoteAround(std::vector<std::string>& log, std::string name, Gate& gate) {
  log.push_back(name + " waits");
  co_await gate;
  log.push_back(name + " ends");
}

Detached RunInOrder(std::vector<std::string>& log) {
  Task lazy = Note(log, "second");
  log.push_back("first");
  co_await lazy;
  log.push_back("third");
}

Detached RunTogether(std::vector<std::string>& log, Gate& a, Gate& b) {
  co_await WhenAll(NoteAround(log, "a", a), NoteAround(log, "b", b));
  log.push_back("all ended");
}

TEST(TaskTest, StartsWhenAwaitedAndResumesItsAwaiter) {
  std::vector<std::string> log;
  RunInOrder(log);
  EXPECT_THAT(log, ElementsAre("first", "second", "third"));
}

TEST(TaskTest, WhenAllResumesAfterTheLastWhicheverThatIs) {
  std::vector<std::string> log;
  Gate a;
  Gate b;
  RunTogether(log, a, b);
  EXPECT_THAT(log, ElementsAre("a waits", "b waits"));
  b.waiter.resume();
  EXPECT_EQ(log.back(), "b ends");
  a.waiter.resume();
  EXPECT_THAT(log, ElementsAre("a waits", "b waits", "b ends", "a ends", "all ended"));
}

TEST(TaskTest, WhenAllOfTasksThatNeverWaitDoesNotSuspend) {
  std::vector<std::string> log;
  [](std::vector<std::string>& to) -> Detached {
    co_await WhenAll(Note(to, "a"), Note(to, "b"));
    to.push_back("all ended");
  }(log);
  EXPECT_THAT(log, ElementsAre("a", "b", "all ended"));
}

TEST(TaskTest, ATaskThatIsNeverAwaitedIsFreed) {
  std::vector<std::string> log;
  { const Task never = Note(log, "never"); }
  EXPECT_TRUE(log.empty());
}

}  // namespace
}  // namespace lanekeeper

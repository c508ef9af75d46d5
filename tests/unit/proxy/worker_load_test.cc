#include "proxy/threads/worker_load.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;

TEST(WorkerLoadTest, AnotherWorkerHelpsOnlyWhenAllAreBusyAndThereIsRoom) {
  EXPECT_TRUE(AnotherWorkerHelps(0.99, 2));
  EXPECT_FALSE(AnotherWorkerHelps(0.5, 2)) << "those that run can take more";
  EXPECT_FALSE(AnotherWorkerHelps(0.99, 0.1)) << "no CPU would be free for it";
}

TEST(WorkerLoadTest, TheLeastBusyWorkerIsTheOneThatHasWaitedLongest) {
  WorkerLoad load;
  load.Look({0s, 5s});
  std::this_thread::sleep_for(20ms);
  const WorkerLoad::Use use = load.Look({0s, 5s + 10ms});
  EXPECT_GT(use.least_busy, 0);
  EXPECT_LT(use.least_busy, 1);
  EXPECT_GE(use.idle_cpus, 0);
}

TEST(WorkerLoadTest, AWaitThatBeganBeforeTheLastLookIsNotLessThanIdle) {
  WorkerLoad load;
  load.Look({0s});
  EXPECT_EQ(load.Look({100s}).least_busy, 0);
}

TEST(WorkerLoadTest, AWorkerThatIsNewSinceTheLastLookDoesNotCount) {
  WorkerLoad load;
  EXPECT_EQ(load.Look({0s}).least_busy, 0);
}

}  // namespace
}  // namespace lanekeeper

#include "proxy/threads/worker_load.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace lanekeeper {
namespace {

TEST(WorkerLoadTest, AnotherWorkerHelpsOnlyWhenAllAreBusyAndThereIsRoom) {
  EXPECT_TRUE(AnotherWorkerHelps(0.99, 2));
  EXPECT_FALSE(AnotherWorkerHelps(0.5, 2)) << "those that run can take more";
  EXPECT_FALSE(AnotherWorkerHelps(0.99, 0.1)) << "no CPU would be free for it";
}

TEST(WorkerLoadTest, ASpinningThreadIsBusierThanASleepingOne) {
  std::atomic<bool> stop{false};
  std::thread spinning([&] {
    while (!stop) {
    }
  });
  std::thread waiting([&] { stop.wait(false); });
  WorkerLoad both_load;
  WorkerLoad spinning_load;
  both_load.Look({spinning.native_handle(), waiting.native_handle()});
  spinning_load.Look({spinning.native_handle()});
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const WorkerLoad::Use busy = spinning_load.Look({spinning.native_handle()});
  const WorkerLoad::Use mixed = both_load.Look({spinning.native_handle(), waiting.native_handle()});
  stop = true;
  stop.notify_all();
  spinning.join();
  waiting.join();
  EXPECT_GT(busy.least_busy, mixed.least_busy);
  EXPECT_GE(mixed.idle_cpus, 0);
}

TEST(WorkerLoadTest, AThreadThatIsNewSinceTheLastLookDoesNotCount) {
  WorkerLoad load;
  EXPECT_EQ(load.Look({pthread_self()}).least_busy, 0);
}

}  // namespace
}  // namespace lanekeeper

// Whether another worker would help: each worker adds a poller, and with more pollers than the load
// needs every RPC pays for hand-overs between them (measured in proxy/README.md).
#pragma once

#include <pthread.h>

#include <chrono>
#include <vector>

namespace lanekeeper {

// Busy: the share of the time, 0 to 1, that the least busy of the running workers was on a CPU.
// Idle CPUs: how many CPUs of the machine had nothing to do meanwhile; without one there is no
// room.
bool AnotherWorkerHelps(double least_busy, double idle_cpus);

// What was used between two looks. One thread.
class WorkerLoad {
 public:
  WorkerLoad();

  struct Use {
    double least_busy = 0;
    double idle_cpus = 0;
  };
  // Since the last look; of the threads that were there then.
  Use Look(const std::vector<pthread_t>& workers);

 private:
  std::chrono::steady_clock::time_point time_;
  std::vector<double> worker_seconds_;
  double idle_seconds_;
};

}  // namespace lanekeeper

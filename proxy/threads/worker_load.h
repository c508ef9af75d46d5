// Whether another worker would help: each worker adds a poller, and with more pollers than the load
// needs every RPC pays for hand-overs between them (measured in proxy/README.md).
#pragma once

#include <chrono>
#include <vector>

namespace lanekeeper {

// Busy: the share of the time, 0 to 1, in which the least busy of the running workers had something
// to do. Idle CPUs: how many CPUs of the machine had nothing to do meanwhile; without one there is
// no room.
bool AnotherWorkerHelps(double least_busy, double idle_cpus);

// What was used between two looks. One thread.
class WorkerLoad {
 public:
  WorkerLoad();

  struct Use {
    double least_busy = 0;
    double idle_cpus = 0;
  };
  // Since the last look; of the workers that were there then. `waited`: how long each has had
  // nothing to do, in all.
  Use Look(const std::vector<std::chrono::nanoseconds>& waited);

 private:
  std::chrono::steady_clock::time_point time_;
  std::vector<std::chrono::nanoseconds> waited_;
  double idle_seconds_;
};

}  // namespace lanekeeper

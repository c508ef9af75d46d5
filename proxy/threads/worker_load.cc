#include "proxy/threads/worker_load.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <string>

namespace lanekeeper {
namespace {

constexpr double kBusy = 0.9;
constexpr double kRoomCpus = 0.5;

double CpuSecondsOf(pthread_t thread) {
  clockid_t clock{};
  timespec time{};
  if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// All CPUs together, since boot (proc(5): user, nice, system, idle, iowait, in ticks).
double IdleCpuSeconds() {
  std::ifstream file("/proc/stat");
  std::string name;
  double user = 0;
  double nice = 0;
  double system = 0;
  double idle = 0;
  double waiting = 0;
  file >> name >> user >> nice >> system >> idle >> waiting;
  return (idle + waiting) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

bool AnotherWorkerHelps(double least_busy, double idle_cpus) {
  return least_busy >= kBusy && idle_cpus >= kRoomCpus;
}

WorkerLoad::WorkerLoad()
    : time_(std::chrono::steady_clock::now()), idle_seconds_(IdleCpuSeconds()) {}

WorkerLoad::Use WorkerLoad::Look(const std::vector<pthread_t>& workers) {
  const auto now = std::chrono::steady_clock::now();
  const double passed = std::chrono::duration<double>(now - time_).count();
  std::vector<double> seconds;
  for (pthread_t worker : workers) seconds.push_back(CpuSecondsOf(worker));

  Use use;
  const size_t known = std::min(seconds.size(), worker_seconds_.size());
  for (size_t i = 0; i < known; ++i) {
    const double busy = (seconds[i] - worker_seconds_[i]) / passed;
    use.least_busy = i == 0 ? busy : std::min(use.least_busy, busy);
  }
  const double idle = IdleCpuSeconds();
  use.idle_cpus = (idle - idle_seconds_) / passed;

  time_ = now;
  worker_seconds_ = std::move(seconds);
  idle_seconds_ = idle;
  return use;
}

}  // namespace lanekeeper

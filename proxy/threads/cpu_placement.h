// Where threads run that take turns. Only one of them works at a time, and each is woken by the one
// before, which then sleeps; on the same CPU that is one switch, on another it is an interrupt, an
// idle CPU that must wake up, and cold caches: twice the cost of an RPC (proxy/README.md). The
// kernel prefers the other, idle CPU, so the waker pins the woken to its own, with SCHED_BATCH, so
// that it begins when the waker sleeps rather than at once. Whoever waits for the network is free
// again, so that together they move to where there is room.
// Immutable; any thread. Where the system does not let us choose, nothing happens.
#pragma once

#include <pthread.h>
#include <sched.h>

namespace lanekeeper {

class CpuPlacement {
 public:
  // The CPUs that the calling thread may use are those that freed threads may use.
  CpuPlacement() {
    CPU_ZERO(&all_);
    // Fails on a machine with more CPUs than a cpu_set_t holds.
    if (pthread_getaffinity_np(pthread_self(), sizeof all_, &all_) != 0) CPU_ZERO(&all_);
    sched_param none{};
    pthread_getschedparam(pthread_self(), &policy_, &none);
  }

  // Whether there is anything to choose.
  bool useful() const { return CPU_COUNT(&all_) > 1; }

  void Pin(pthread_t thread, int cpu) const {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<size_t>(cpu), &one);
    pthread_setaffinity_np(thread, sizeof one, &one);
    SetPolicy(thread, SCHED_BATCH);
  }
  void Free(pthread_t thread) const {
    pthread_setaffinity_np(thread, sizeof all_, &all_);
    SetPolicy(thread, SCHED_OTHER);
  }

 private:
  // Another policy than the usual is the operator's choice.
  void SetPolicy(pthread_t thread, int policy) const {
    if (policy_ != SCHED_OTHER) return;
    const sched_param none{};
    pthread_setschedparam(thread, policy, &none);
  }

  cpu_set_t all_;
  int policy_ = SCHED_OTHER;
};

}  // namespace lanekeeper

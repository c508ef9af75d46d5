// How many RPCs are open over all workers, and whether one more may be. One counter for all; any
// thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "proxy/observe/termination.h"

namespace lanekeeper {

class Admission;

// A place that one RPC has; given back when destroyed.
class AdmittedPlace {
 public:
  AdmittedPlace(AdmittedPlace&& other) noexcept
      : admission_(std::exchange(other.admission_, nullptr)) {}
  AdmittedPlace& operator=(AdmittedPlace&&) = delete;
  ~AdmittedPlace();

 private:
  friend class Admission;
  explicit AdmittedPlace(Admission& admission) : admission_(&admission) {}

  Admission* admission_;
};

class Admission {
 public:
  explicit Admission(int64_t open_rpcs_max) : open_rpcs_max_(open_rpcs_max) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // A place, or why there is none.
  std::optional<AdmittedPlace> TryEnter(RejectReason& why);
  // For the next ones: what is open stays. Any thread.
  void SetMax(int64_t open_rpcs_max) { open_rpcs_max_.store(open_rpcs_max); }
  // Admits no more: once it is empty then, it stays so.
  void Close() { closed_.store(true); }
  int64_t open() const { return open_.load(std::memory_order_relaxed); }
  // Until no RPC is open; false at the deadline.
  bool WaitUntilEmpty(std::chrono::steady_clock::time_point deadline);

 private:
  friend class AdmittedPlace;
  void Leave();

  std::atomic<int64_t> open_rpcs_max_;
  std::atomic<int64_t> open_{0};
  std::atomic<bool> closed_{false};
  std::mutex empty_mutex_;
  std::condition_variable empty_;
};

}  // namespace lanekeeper

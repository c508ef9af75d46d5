// Whether one more RPC may be open, by the caps of `limits`: over all, on one connection, by
// method. The caps are one value that can be replaced as a whole. TryEnter, SetLimits and the ends
// of places are for the loop's thread; Close, open and WaitUntilEmpty for any.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/config.h"
#include "proxy/observe/termination.h"
#include "proxy/rpc/method_limits.h"

namespace lanekeeper {

class Admission;

// Counts one RPC as long as it lives.
class Counted {
 public:
  // Null counts nothing.
  explicit Counted(OpenCount count) : count_(std::move(count)) {
    if (count_ != nullptr) ++*count_;
  }
  Counted(Counted&& other) noexcept = default;
  Counted& operator=(Counted&&) = delete;
  ~Counted() {
    if (count_ != nullptr) --*count_;
  }

 private:
  OpenCount count_;
};

// A place that one RPC has; given back when destroyed.
class AdmittedPlace {
 public:
  AdmittedPlace(AdmittedPlace&& other) noexcept
      : admission_(std::exchange(other.admission_, nullptr)),
        connection_(std::move(other.connection_)),
        method_(std::move(other.method_)) {}
  AdmittedPlace& operator=(AdmittedPlace&&) = delete;
  ~AdmittedPlace();

 private:
  friend class Admission;
  AdmittedPlace(Admission& admission, OpenCount connection, OpenCount method)
      : admission_(&admission), connection_(std::move(connection)), method_(std::move(method)) {}

  Admission* admission_;
  Counted connection_;
  Counted method_;
};

// Why there is no place.
struct Rejection {
  RejectReason reason{};
  std::string message;  // for the downstream
};

class Admission {
 public:
  explicit Admission(const LimitsConfig& limits) { SetLimits(limits); }
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // Holds from the next RPC on; those that are open stay.
  void SetLimits(const LimitsConfig& limits);

  // Whether one more downstream connection may be open besides so many.
  bool TakesConnection(int64_t open) const { return open < limits_.connections; }
  int64_t connections_max() const { return limits_.connections; }
  // A place for an RPC of this method on a connection that has so many open, or why there is none.
  std::optional<AdmittedPlace> TryEnter(std::string_view method, const OpenCount& connection,
                                        Rejection& why);
  // Admits no more: once it is empty then, it stays so.
  void Close() { closed_.store(true); }
  int64_t open() const { return open_.load(std::memory_order_relaxed); }
  // Until no RPC is open; false at the deadline.
  bool WaitUntilEmpty(std::chrono::steady_clock::time_point deadline);

 private:
  friend class AdmittedPlace;
  // Of an RPC that is counted in open_ already.
  std::optional<Rejection> FindReason(const MethodLimits::Entry* entry,
                                      const OpenCount& connection) const;
  void Leave();

  LimitsConfig limits_;
  MethodLimits methods_;
  std::atomic<int64_t> open_{0};
  std::atomic<bool> closed_{false};
  std::mutex empty_mutex_;
  std::condition_variable empty_;
};

}  // namespace lanekeeper

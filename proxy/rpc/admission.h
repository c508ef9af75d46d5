// Whether one more RPC may be open, by the caps of `limits`: over all, on one connection, by
// method; and the queue of those that wait because all places are taken. The caps are one value
// that can be replaced as a whole. For the loop's thread, but Close, WaitUntilEmpty and the counts
// for any.
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
#include "proxy/base/list.h"
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

// Told on the loop's thread that its turn has come: only record.
class PlaceObserver {
 public:
  virtual void OnPlace() = 0;

 protected:
  ~PlaceObserver() = default;
};

// What one RPC has of the caps, or waits for; given back when destroyed. It may be moved until it
// stands in the queue.
class AdmittedPlace : private Link {
 public:
  AdmittedPlace(AdmittedPlace&& other) noexcept
      : admission_(std::exchange(other.admission_, nullptr)),
        state_(other.state_),
        connection_(std::move(other.connection_)),
        method_(std::move(other.method_)) {}
  AdmittedPlace& operator=(AdmittedPlace&&) = delete;
  ~AdmittedPlace();

  bool waits() const { return state_ == State::kWaits; }
  // Of one that waits: stands in the queue from now on. At once after TryEnter, which keeps the
  // order of coming. The observer outlives the place.
  void Queue(PlaceObserver& observer);
  std::chrono::nanoseconds queue_timeout() const;
  // Leaves the queue; its turn does not come any more.
  void GiveUp();

 private:
  friend class Admission;
  enum class State : uint8_t { kWaits, kGaveUp, kEntered };

  AdmittedPlace(Admission& admission, State state, OpenCount connection, OpenCount method)
      : admission_(&admission),
        state_(state),
        connection_(std::move(connection)),
        method_(std::move(method)) {}

  Admission* admission_;
  PlaceObserver* observer_ = nullptr;
  State state_;
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

  // Holds from the next RPC on; those that are open, or wait, stay.
  void SetLimits(const LimitsConfig& limits);

  // Whether one more downstream connection may be open besides so many.
  bool TakesConnection(int64_t open) const { return open < limits_.connections; }
  int64_t connections_max() const { return limits_.connections; }
  // A place for an RPC of this method on a connection that has so many open, perhaps one to wait
  // for; or why there is none.
  std::optional<AdmittedPlace> TryEnter(std::string_view method, const OpenCount& connection,
                                        Rejection& why);
  // Admits no more: once it is empty then, it stays so.
  void Close() { closed_.store(true); }
  // RPCs that there are, with those that wait.
  int64_t open() const { return open_.load(std::memory_order_relaxed); }
  int64_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  std::chrono::nanoseconds queue_timeout() const { return limits_.queue.timeout; }
  // Until no RPC is open; false at the deadline.
  bool WaitUntilEmpty(std::chrono::steady_clock::time_point deadline);

 private:
  friend class AdmittedPlace;
  bool full() const { return entered_ >= limits_.open_rpcs || waiting() > 0; }
  std::optional<Rejection> FindReason(const MethodLimits::Entry* entry,
                                      const OpenCount& connection) const;
  void ServeQueue();
  void Leave();

  LimitsConfig limits_;
  MethodLimits methods_;
  Link queue_;
  int64_t entered_ = 0;  // the others wait, or have given up
  std::atomic<int64_t> open_{0};
  std::atomic<int64_t> waiting_{0};
  std::atomic<bool> closed_{false};
  std::mutex empty_mutex_;
  std::condition_variable empty_;
};

}  // namespace lanekeeper

// Deadlines of one loop: a heap of timers that live in their owners. Setting, moving and cancelling
// one costs a few steps of the heap; none is ever early. On the loop's thread only.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "proxy/base/clock.h"

namespace lanekeeper {

class Timers;

// Cancelled when destroyed.
class Timer {
 public:
  explicit Timer(Timers& timers) : timers_(timers) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Replaces an earlier time.
  void Set(Instant due);
  void Cancel();
  bool is_set() const { return index_ != kNone; }
  Instant due() const { return due_; }

 protected:
  virtual ~Timer() { Cancel(); }

 private:
  friend class Timers;
  static constexpr size_t kNone = static_cast<size_t>(-1);

  virtual void OnDue() = 0;

  Timers& timers_;
  Instant due_ = 0;
  size_t index_ = kNone;
};

// A timer that calls a member function of its owner.
template <class Owner, void (Owner::*kOnDue)()>
class TimerOf final : public Timer {
 public:
  TimerOf(Timers& timers, Owner& owner) : Timer(timers), owner_(owner) {}

 private:
  void OnDue() override { (owner_.*kOnDue)(); }

  Owner& owner_;
};

class Timers {
 public:
  // When the first is due.
  std::optional<Instant> next() const;
  // Calls all that are due, in the order of their times. They may set and cancel timers; what they
  // set runs in a later call at the earliest.
  void RunDue(Instant now);
  size_t size() const { return heap_.size(); }

 private:
  friend class Timer;

  void Place(Timer* timer, size_t index) {
    heap_[index] = timer;
    timer->index_ = index;
  }
  void Up(size_t index);
  void Down(size_t index);
  void Remove(size_t index);

  std::vector<Timer*> heap_;
  Instant running_ = 0;  // up to when timers are being called; 0: none is
};

}  // namespace lanekeeper

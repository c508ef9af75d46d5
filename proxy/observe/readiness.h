// Whether new RPCs are welcome: from the start until a drain begins. Any thread.
#pragma once

#include <atomic>

namespace lanekeeper {

class Readiness {
 public:
  enum class State { kStarting, kReady, kDraining };

  State state() const { return state_.load(); }
  bool started() const { return state() != State::kStarting; }
  bool ready() const { return state() == State::kReady; }

  void SetReady() { state_ = State::kReady; }
  void SetDraining() { state_ = State::kDraining; }

 private:
  std::atomic<State> state_{State::kStarting};
};

}  // namespace lanekeeper

// How long to wait between dials (gRPC doc/connection-backoff.md): 1 s, then 1.6 times as long each
// time, 120 s at most, all 20 % up or down at random. Values only; one thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <random>

namespace lanekeeper {

class Backoff {
 public:
  static constexpr std::chrono::nanoseconds kInitial = std::chrono::seconds(1);
  static constexpr std::chrono::nanoseconds kMax = std::chrono::seconds(120);
  // gRPC's MIN_CONNECT_TIMEOUT.
  static constexpr std::chrono::nanoseconds kLongLife = std::chrono::seconds(20);
  static constexpr double kMultiplier = 1.6;
  static constexpr double kJitter = 0.2;

  // `random` yields numbers from 0 to 1.
  explicit Backoff(std::function<double()> random = {});

  std::chrono::nanoseconds Next();
  void Reset() { current_ = last_ = std::chrono::nanoseconds(0); }
  // The wait that Next gave last; 0 after a Reset.
  std::chrono::nanoseconds last() const { return last_; }
  // Whether a connection that lived for so long may be replaced at once: that dials no more often
  // than the waits so far, or seldom enough. A server that ends idle connections is well.
  bool IsOutlivedBy(std::chrono::nanoseconds life) const {
    return life > std::clamp(last_, kInitial, kLongLife);
  }

 private:
  std::function<double()> random_;
  std::chrono::nanoseconds current_{0};
  std::chrono::nanoseconds last_{0};
};

}  // namespace lanekeeper

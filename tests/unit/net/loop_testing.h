// A loop that runs on the test's own thread until something has happened. One thread.
#pragma once

#include <functional>

#include "proxy/net/event_loop.h"
#include "tests/support/eventually.h"

namespace lanekeeper::testing {

class TestLoop : public EventLoop {
 public:
  // Steps until `condition` holds; false after kPatience.
  bool RunUntil(const std::function<bool()>& condition) {
    expired_ = false;
    patience_.Set(InstantNow() + std::chrono::nanoseconds(kPatience).count());
    while (!condition() && !expired_) Step();
    patience_.Cancel();
    return condition();
  }
  // What has been posted, and what is due, when this is called happens.
  bool RunWhatIsThere() {
    bool there = false;
    Post([&there] { there = true; });
    return RunUntil([&there] { return there; });
  }

 private:
  void Expire() { expired_ = true; }

  bool expired_ = false;
  TimerOf<TestLoop, &TestLoop::Expire> patience_{timers(), *this};
};

}  // namespace lanekeeper::testing

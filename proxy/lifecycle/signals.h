// Signals as values: blocked in every thread, taken one at a time by the thread that waits for
// them.
#pragma once

#include <csignal>
#include <initializer_list>

namespace lanekeeper {

class Signals {
 public:
  // Blocks them in the calling thread and all it starts from now on: make it before any other
  // thread.
  explicit Signals(std::initializer_list<int> signals) {
    sigemptyset(&set_);
    for (int signal : signals) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }

  // Blocks until one of them arrives.
  int Wait() const {
    int signal = 0;
    sigwait(&set_, &signal);
    return signal;
  }

 private:
  sigset_t set_;
};

}  // namespace lanekeeper

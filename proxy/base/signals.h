// Signals as values: blocked in every thread, taken one at a time by the thread that waits for
// them. Wake may come from any thread.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <initializer_list>

#include "proxy/base/fd.h"

namespace lanekeeper {

class Signals {
 public:
  // What Wait returns after Wake: no signal has this number.
  static constexpr int kWoken = 0;

  // Blocks them in the calling thread and all it starts from now on: make it before any other
  // thread.
  explicit Signals(std::initializer_list<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (int signal : signals) sigaddset(&set, signal);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signals_ = Fd(signalfd(-1, &set, SFD_CLOEXEC));
    wake_ = Fd(eventfd(0, EFD_CLOEXEC));
  }

  // Blocks until one of them arrives, or somebody calls Wake.
  int Wait() const {
    std::array<pollfd, 2> either{{{signals_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    while (poll(either.data(), either.size(), -1) < 0) {
    }
    if ((either[0].revents & POLLIN) != 0) {
      signalfd_siginfo info{};
      if (read(signals_.get(), &info, sizeof info) == sizeof info) {
        return static_cast<int>(info.ssi_signo);
      }
    }
    eventfd_t ignored = 0;
    eventfd_read(wake_.get(), &ignored);
    return kWoken;
  }
  void Wake() const { eventfd_write(wake_.get(), 1); }

 private:
  Fd signals_;
  Fd wake_;
};

}  // namespace lanekeeper

// Signals as values: blocked in every thread, taken one at a time by the thread that waits for
// them. Others wake that thread for reasons of their own; Wake may come from any thread.
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
  // What Wait returns after Wake(it): no signal has these numbers.
  static constexpr int kWoken = 0;
  static constexpr int kWokenByFile = -1;

  // Blocks them in the calling thread and all it starts from now on: make it before any other
  // thread.
  Signals(std::initializer_list<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (int signal : signals) sigaddset(&set, signal);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signals_ = Fd(signalfd(-1, &set, SFD_CLOEXEC));
    wake_ = Fd(eventfd(0, EFD_CLOEXEC));
    wake_by_file_ = Fd(eventfd(0, EFD_CLOEXEC));
  }

  // Blocks until one of them arrives, or somebody calls Wake; several calls may be one.
  int Wait() const {
    std::array<pollfd, 3> any{
        {{signals_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}, {wake_by_file_.get(), POLLIN, 0}}};
    while (poll(any.data(), any.size(), -1) < 0) {
    }
    if ((any[0].revents & POLLIN) != 0) {
      signalfd_siginfo info{};
      if (read(signals_.get(), &info, sizeof info) == sizeof info) {
        return static_cast<int>(info.ssi_signo);
      }
    }
    const bool woken = (any[1].revents & POLLIN) != 0;
    eventfd_t ignored = 0;
    eventfd_read(woken ? wake_.get() : wake_by_file_.get(), &ignored);
    return woken ? kWoken : kWokenByFile;
  }
  // Any thread.
  void Wake(int reason = kWoken) const {
    eventfd_write(reason == kWokenByFile ? wake_by_file_.get() : wake_.get(), 1);
  }

 private:
  Fd signals_;
  Fd wake_;
  Fd wake_by_file_;
};

}  // namespace lanekeeper

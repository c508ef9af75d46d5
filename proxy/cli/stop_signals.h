// Turns SIGINT, SIGTERM and SIGHUP into a request to stop, for commands that have a screen to give
// back or a call to cancel. Blocks them in the calling thread and all it starts from now on, so
// make it before any other thread; owns the thread that takes them, and ends it.
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

#include "proxy/base/signals.h"

namespace lanekeeper {

class StopSignals {
 public:
  StopSignals()
      : signals_({SIGINT, SIGTERM, SIGHUP}), thread_([this] {
          signals_.Wait();
          source_.request_stop();
        }) {}
  ~StopSignals() {
    signals_.Wake();
    thread_.join();
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  Signals signals_;
  std::stop_source source_;
  std::thread thread_;
};

}  // namespace lanekeeper

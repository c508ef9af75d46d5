// What a service manager is told (systemd's Type=notify, sd_notify(3)); nothing where NOTIFY_SOCKET
// is not set, as in a container. Any thread; does not block.
#pragma once

#include "proxy/net/event_loop.h"

namespace lanekeeper {

// The sockets are open and RPCs are forwarded; also the end of a reload.
void TellServiceReady();
void TellServiceReloading();
void TellServiceStopping();

// Tells, twice in each WatchdogSec, that the loop turns. One that hangs is restarted. Made before
// the loop runs, destroyed after it.
class Watchdog {
 public:
  explicit Watchdog(EventLoop& loop);

 private:
  void Tell();

  EventLoop& loop_;
  Instant interval_ = 0;
  TimerOf<Watchdog, &Watchdog::Tell> timer_;
};

}  // namespace lanekeeper

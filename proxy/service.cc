#include "proxy/service.h"

#include <systemd/sd-daemon.h>

namespace lanekeeper {
namespace {

constexpr Instant kNanosecondsPerMicrosecond = 1000;

}  // namespace

void TellServiceReady() { sd_notify(0, "READY=1\nSTATUS=forwarding"); }

// With the time, as Type=notify-reload wants it.
void TellServiceReloading() {
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading",
             static_cast<long long>(InstantNow() / kNanosecondsPerMicrosecond));
}

void TellServiceStopping() { sd_notify(0, "STOPPING=1\nSTATUS=draining"); }

Watchdog::Watchdog(EventLoop& loop) : loop_(loop), timer_(loop.timers(), *this) {
  uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return;
  interval_ = static_cast<Instant>(microseconds) * kNanosecondsPerMicrosecond / 2;
  timer_.Set(InstantNow() + interval_);
}

void Watchdog::Tell() {
  sd_notify(0, "WATCHDOG=1");
  timer_.Set(loop_.now() + interval_);
}

}  // namespace lanekeeper

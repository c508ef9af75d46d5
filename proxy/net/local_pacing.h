// What a connection within the machine needs not: pacing. Where the system's default congestion
// control paces (bbr), its timers were a quarter of the CPU of 1 MB messages over loopback.
#pragma once

#include <sys/socket.h>

namespace lanekeeper {

// Gives a TCP socket of ours reno where it would get bbr and leads to or listens on a loopback
// address. Any other algorithm that the operator has chosen stays. Any thread.
void StopPacingFor(int fd, const sockaddr& address, socklen_t size);

}  // namespace lanekeeper

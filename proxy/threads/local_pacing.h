// TCP between two ends on one machine needs no pacing: BBR, which is the default of some systems,
// spreads what it sends over time by a timer for each 64 KiB, a quarter of the CPU that a message
// of 1 MB took. A socket that has once been paced keeps its timer, at a higher rate, so the best
// time is before it is connected: for accepted ones, on the listening socket; for our own, in
// connect, which is replaced as sendmsg is. Others follow with their first write.
// Any other algorithm than BBR is the operator's choice and stays. Any thread.
#pragma once

#include <sys/socket.h>

namespace lanekeeper {

// Whether no network lies between two sockets with these addresses.
bool IsWithinMachine(const sockaddr_storage& self, const sockaddr_storage& peer);

// A TCP socket that is not yet connected or listening, with the address that it is to have or to
// reach.
void StopPacingFor(int fd, const sockaddr& address, socklen_t length);

// Any socket that is connected; nothing if its peer is elsewhere.
void StopLocalPacing(int fd);

}  // namespace lanekeeper

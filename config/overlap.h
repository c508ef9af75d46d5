// Tells whether addresses collide. Never resolves names: only "localhost" is known to be loopback,
// other names equal only themselves. Values only; any thread.
#pragma once

#include "config/address.h"

namespace lanekeeper {

// Whether the two cannot both be listened on: the same socket, or a wildcard that includes the
// other. Port 0 collides with nothing, since the kernel picks a free one.
bool ListenOverlap(const ListenAddress& a, const ListenAddress& b);

// Whether dialling the first certainly reaches a socket listening on the second. A wildcard is
// reached through loopback; through any other address it might be another machine's.
bool DialReaches(const ListenAddress& dialled, const ListenAddress& listening);

// Whether only this machine can reach what listens there. Not so for names that would have to be
// resolved.
bool OnlyLocal(const ListenAddress& listening);

}  // namespace lanekeeper

// Tells every connection of a server that no new RPC is welcome, and lets it go on serving those
// that were under way. gRPC's own shutdown sends the same GOAWAY, but answers RPCs that arrive
// behind it with CANCELLED.
#pragma once

#include <grpc/grpc.h>

namespace lanekeeper {

// Any thread; returns when the GOAWAYs have been handed to the connections.
void SendGoaways(grpc_server* server);

}  // namespace lanekeeper

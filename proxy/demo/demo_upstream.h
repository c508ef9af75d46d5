// A gRPC server with the demo's two services: what an upstream looks like to lanekeeper.
#pragma once

#include <string>

namespace lanekeeper {

// Serves on "HOST:PORT" (port 0 picks one) or "unix:///path": prints "demo upstream listening on
// HOST:PORT" and goes on until SIGTERM or SIGINT; RPCs that are open then have a second left.
// Returns the process's exit code.
int RunDemoUpstream(const std::string& listen);

}  // namespace lanekeeper

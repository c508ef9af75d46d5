// What `lanekeeper demo` and `lanekeeper demo-clients` do.
#pragma once

#include <string>

namespace lanekeeper {

// A gRPC server with the demo's two services: what an upstream looks like to lanekeeper.
// Serves on "HOST:PORT" (port 0 picks one) or "unix:///path": prints "demo upstream listening on
// HOST:PORT" and goes on until SIGTERM or SIGINT; RPCs that are open then have a second left.
// Returns the process's exit code.
int RunDemoUpstream(const std::string& listen);

// Many clients at once, each with a connection of its own, as the processes of a prefork
// application have them. The connections stay open to the end, so that whoever reads the proxy's
// metrics meanwhile sees them all.
struct DemoClientsOptions {
  // A gRPC target: "127.0.0.1:50051", "unix:///path".
  std::string target;
  // Connections open at the same time; each has one thread.
  int connections = 50;
  // RPCs each connection makes, one after the other; they take turns over the eight methods.
  int rpcs_per_connection = 80;
  // HOST:PORT of lanekeeper's /metrics; empty: only the clients' own view is checked.
  std::string metrics_url;
};

// Connects, runs, compares with the proxy's metrics, prints. Returns the process's exit code:
// 0 only when every answer was right and, given metrics, lanekeeper counted `connections`
// downstream, 1 upstream, and exactly the clients' RPCs and messages.
int RunDemoClients(const DemoClientsOptions& options);

// Something to look at: a few streams that move, one whose reader does not read, and an RPC that is
// never answered. Keeps them open until SIGTERM or SIGINT, and tells of each that moves when
// somebody else ends it. Returns the process's exit code: 1 when none of those was left.
int RunDemoStreams(const std::string& target);

}  // namespace lanekeeper

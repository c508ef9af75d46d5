// Many clients at once, each with a connection of its own, as the processes of a prefork
// application have them. The connections stay open until destruction, so that whoever reads the
// proxy's metrics meanwhile sees them all.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace lanekeeper {

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

// What the clients saw. Counts messages as the application does: sent and received by clients.
struct DemoSummary {
  int connections = 0;  // open when the last RPC had ended
  int64_t rpcs = 0;
  int64_t messages_sent = 0;
  int64_t messages_received = 0;
  int64_t failures = 0;
  std::string first_failure;
};

// Owns its channels. One thread calls it; Run starts and joins a thread per connection.
class DemoClients {
 public:
  explicit DemoClients(const DemoClientsOptions& options);

  // Opens every connection before the first RPC; false when one cannot be opened in 10 seconds.
  bool Connect(std::ostream& progress);

  // Makes every RPC of every connection, all connections in parallel.
  DemoSummary Run(std::ostream& progress);

 private:
  const DemoClientsOptions options_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
};

// Connects, runs, compares with the proxy's metrics, prints. Returns the process's exit code:
// 0 only when every answer was right and, given metrics, lanekeeper counted `connections`
// downstream, 1 upstream, and exactly the clients' RPCs and messages.
int RunDemoClients(const DemoClientsOptions& options);

}  // namespace lanekeeper

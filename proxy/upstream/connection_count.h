// How many connections this process has to the upstream. gRPC does not tell, so this looks at the
// process's own sockets. Any thread; costs a system call or two per open descriptor, so: per
// scrape, not per RPC.
#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace lanekeeper {

// Where connections to an upstream lead, as far as its address tells.
struct UpstreamPeers {
  std::set<uint16_t> ports;
  std::set<std::string> unix_paths;
};

UpstreamPeers PeersOf(const std::string& upstream_address);

// Connected stream sockets of this process whose peer is one of `peers`.
int64_t CountConnectionsTo(const UpstreamPeers& peers);

}  // namespace lanekeeper

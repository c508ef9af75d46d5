// The ways from a client to the server: directly, or through one lanekeeper or several. A case runs
// over each and must see the same.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {

struct RouteKind {
  const char* name;  // as in the test's name: "UserTcp"
  size_t proxies;    // 0: direct
  RpcThreadKind threads;
  bool unix_socket;  // the proxies listen on unix sockets
};

// Direct first, then both kinds of RPC threads over TCP and unix sockets, then chains of two.
const std::vector<RouteKind>& Routes();
const RouteKind& DirectRoute();
// Their names in order, with a space between: as CMakeLists.txt lists them for ctest.
std::string RouteNames();

// The proxies of one route in front of an upstream. Destruction asserts what ProxyHarness asserts,
// for each.
class Route {
 public:
  using Change = std::function<void(Config&)>;

  Route(const RouteKind& kind, const std::string& upstream, const Change& change = {});
  ~Route();

  // What a client dials: "127.0.0.1:PORT" or "unix:PATH".
  const std::string& target() const { return target_; }
  // A channel with a connection of its own, without retries, limits or (de)compression of messages
  // unless `arguments` says otherwise.
  std::shared_ptr<grpc::Channel> NewChannel(grpc::ChannelArguments arguments = {}) const;
  // From the client to the server; empty when direct.
  const std::vector<std::unique_ptr<ProxyHarness>>& proxies() const { return proxies_; }

 private:
  std::string target_;
  std::vector<std::unique_ptr<ProxyHarness>> proxies_;
};

}  // namespace lanekeeper::testing

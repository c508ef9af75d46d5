// The control server behind admin.address: the gRPC service lanekeeper.admin.v1.Admin, the same as
// JSON over HTTP/1.1, and the live page, all on one address. Owns its sockets, threads and
// connections; serves from when it is made until it is destroyed, which ends every call and watch.
// It borrows the Control, whose calls it makes on threads of its own.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "config/config.h"
#include "proxy/admin/admin_calls.h"
#include "proxy/admin/connection_workers.h"
#include "proxy/admin/entrance.h"
#include "proxy/admin/grpc_service.h"
#include "proxy/admin/http_api.h"
#include "proxy/admin/http_stream.h"
#include "proxy/admin/watch.h"

namespace lanekeeper {

// How much of each there may be; tests choose less.
struct AdminLimits {
  size_t connections = 256;  // in all; one more is closed
  // What has not said anything yet, and for how long that may last.
  Entrance::Limits first_bytes{64, std::chrono::seconds(5)};
  // Watchers of either protocol together; one more gets RESOURCE_EXHAUSTED, over HTTP as 503.
  size_t watchers = 8;
  // Requests served at once over HTTP, every watcher among them; as many as may wait, wait.
  ConnectionWorkers::Limits http{12, 64};
  HttpStream::Limits request{128 * 1024, std::chrono::seconds(5), std::chrono::seconds(5),
                             std::chrono::seconds(30)};
  // How long answers that are on their way may take at the end: the one to POST /drain, for one.
  std::chrono::milliseconds end_grace{300};
};

class AdminServer {
 public:
  // Throws std::runtime_error ("admin: ...") when the address cannot be listened on.
  // config.address must be set.
  AdminServer(const AdminConfig& config, Control& control, const AdminLimits& limits = {});
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;
  ~AdminServer();

  // 0 with a unix socket.
  int port() const { return port_; }
  // "127.0.0.1:9465", the port filled in, or "unix:///path".
  const std::string& name() const { return name_; }

 private:
  struct Bound {
    std::string host;  // as configured; empty with a unix socket
    std::vector<ListeningSocket> sockets;
  };
  static Bound Bind(const AdminConfig& config);
  AdminServer(Bound bound, Control& control, const AdminLimits& limits);

  void OnProtocol(Protocol protocol, Connection connection);

  const AdminLimits limits_;
  const std::string name_;
  const int port_;
  AdminCalls calls_;
  Watchers watchers_;
  HttpApi http_api_;
  // In the order in which a connection passes through, backwards.
  AdminGrpcServer grpc_;
  ConnectionWorkers http_;
  Entrance entrance_;
};

}  // namespace lanekeeper

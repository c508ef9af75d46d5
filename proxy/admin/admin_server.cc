#include "proxy/admin/admin_server.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "proxy/admin/http_connection.h"
#include "proxy/admin/http_messages.h"

namespace lanekeeper {

AdminServer::Bound AdminServer::Bind(const AdminConfig& config) {
  std::string why = "it is off";
  const std::optional<ListenAddress> address =
      ParseListenAddress(config.address.value_or(""), &why);
  if (!address) {
    throw std::runtime_error(
        fmt::format("admin: cannot listen on {}: {}", config.address.value_or("\"\""), why));
  }
  try {
    Bound bound{address->host, ListeningSocket::Open(*address)};
    // Not for every user, as where RPCs come in: who may connect may do everything.
    if (address->is_unix() && chmod(address->unix_path.c_str(), 0600) != 0) {
      throw std::runtime_error(fmt::format("cannot keep {} to its owner", *config.address));
    }
    return bound;
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("admin: {}", error.what()));
  }
}

AdminServer::AdminServer(const AdminConfig& config, Control& control, const AdminLimits& limits)
    : AdminServer(Bind(config), control, limits) {}

AdminServer::AdminServer(Bound bound, Control& control, const AdminLimits& limits)
    : limits_(limits),
      name_(bound.sockets.front().name()),
      port_(bound.sockets.front().port()),
      calls_(control),
      watchers_(limits.watchers),
      http_api_(calls_, watchers_, bound.host),
      grpc_(calls_, watchers_),
      http_("lk-admin-http", limits.http,
            [this](const Connection& connection) {
              HttpConnection(connection, limits_.request, http_api_).Run();
            }),
      entrance_("lk-admin-accept", std::move(bound.sockets), limits.connections, limits.first_bytes,
                [this](Protocol protocol, Connection connection) {
                  OnProtocol(protocol, std::move(connection));
                }) {}

// Along the way that a connection takes, so that none appears behind what has ended. What goes on
// has its time to end; then it is cut, for gRPC's shutdown waits for every connection, also for
// that of a peer that has stopped answering.
AdminServer::~AdminServer() {
  entrance_.Close(limits_.end_grace);
  watchers_.Stop();
  http_.Stop();
  grpc_.Shutdown(std::chrono::system_clock::now() + limits_.end_grace);
}

void AdminServer::OnProtocol(Protocol protocol, Connection connection) {
  if (protocol == Protocol::kHttp2) return grpc_.Serve(std::move(connection));
  const std::optional<Connection> refused = http_.Offer(std::move(connection));
  if (refused) {
    RefuseBusy(refused->fd(), "application/json",
               ErrorJson("UNAVAILABLE", "too many requests wait already"));
  }
}

}  // namespace lanekeeper

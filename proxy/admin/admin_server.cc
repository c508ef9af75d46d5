#include "proxy/admin/admin_server.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <future>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/admin/http_connection.h"
#include "proxy/admin/http_json.h"
#include "proxy/base/thread_name.h"

namespace lanekeeper {
namespace {

// To a peer for whom there is no thread, so without waiting for anything: what does not fit into
// the socket's buffer is lost, and a request that is still unread may cost it the answer.
void SendBusy(const Connection& connection) {
  const std::string body = ErrorJson("UNAVAILABLE", "too many requests wait already");
  const std::string response = fmt::format(
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
      body.size(), body);
  char request[kFirstBytesMax];
  recv(connection.fd(), request, sizeof request, MSG_DONTWAIT);
  send(connection.fd(), response.data(), response.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

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
      http_api_(calls_, watchers_, HttpGuard(bound.host)),
      grpc_(calls_, watchers_),
      http_(limits.http,
            [this](const Connection& connection) {
              HttpConnection(connection, limits_.request, http_api_).Run();
            }),
      first_bytes_(limits.first_bytes,
                   [this](Protocol protocol, Connection connection) {
                     OnProtocol(protocol, std::move(connection));
                   }),
      accept_loop_(std::move(bound.sockets), "lk-admin-accept") {
  accept_loop_.Start([this](int, int fd) { OnConnection(Connection(fd)); });
}

// Along the way that a connection takes, so that none appears behind what has ended.
AdminServer::~AdminServer() {
  first_bytes_.Stop();
  watchers_.Stop();
  accept_loop_.StopAccepting();
  // What goes on has its time to end; then it is cut, for gRPC's shutdown waits for every
  // connection, also for that of a peer that has stopped answering.
  std::promise<void> ended;
  std::thread cutter([this, done = ended.get_future()] {
    SetThreadName("lk-admin-end");
    if (done.wait_for(limits_.end_grace) == std::future_status::timeout) {
      accept_loop_.CutConnections();
    }
  });
  http_.Stop();
  grpc_.Shutdown(std::chrono::system_clock::now() + limits_.end_grace);
  ended.set_value();
  cutter.join();
}

void AdminServer::OnConnection(Connection connection) {
  // The accept loop counts this one already.
  if (accept_loop_.connections() > static_cast<int64_t>(limits_.connections)) return;
  first_bytes_.Add(std::move(connection));
}

void AdminServer::OnProtocol(Protocol protocol, Connection connection) {
  if (protocol == Protocol::kHttp2) return grpc_.Serve(std::move(connection));
  const std::optional<Connection> refused = http_.Offer(std::move(connection));
  if (refused) SendBusy(*refused);
}

}  // namespace lanekeeper

#include "proxy/admin/admin_server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "proxy/admin/http_messages.h"
#include "proxy/base/text.h"
#include "proxy/net/socket_address.h"

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

// One HTTP/1 request and its answer on a connection. cpp-httplib parses and writes; its server
// never listens here, but is lent a stream of ours. Made, run and destroyed on one thread.
class HttpConnection final : private httplib::Server {
 public:
  HttpConnection(const Connection& connection, HttpStream::Limits limits, HttpApi& api);

  // Returns when it is answered, or has failed.
  void Run();

 private:
  HttpApi& api_;
  HttpStream stream_;
};

constexpr size_t kBodyBytesMax = 64 * 1024;

// After the head has been read, before anything is made of it.
void Amend(httplib::Request& request) {
  // What is asked for over loopback need not be compressed, nor sent in pieces: many overlapping
  // ones would be a multiple of it.
  request.headers.erase("Accept-Encoding");
  request.ranges.clear();
  // Without a length there is no body (RFC 9112 section 6.3), for which the library would wait.
  if (request.method != "GET" && !request.has_header("Content-Length") &&
      !request.has_header("Transfer-Encoding")) {
    request.headers.emplace("Content-Length", "0");
  }
}

HttpConnection::HttpConnection(const Connection& connection, HttpStream::Limits limits,
                               HttpApi& api)
    : api_(api), stream_(connection.fd(), limits) {
  // The library takes a server without a socket for one that ends, and leaves answers unfinished.
  svr_sock_ = connection.fd();
  set_payload_max_length(kBodyBytesMax);
  set_default_headers(HttpApi::Headers());
  set_pre_routing_handler(
      [this](const httplib::Request& request, httplib::Response& response) -> HandlerResponse {
        return api_.AnswerHead(request, stream_, response) ? HandlerResponse::Handled
                                                           : HandlerResponse::Unhandled;
      });
  // AnswerHead lets only paths pass that exist.
  Post("/.*", [this](const httplib::Request& request, httplib::Response& response) {
    api_.AnswerPost(request, PeerName(svr_sock_), response);
  });
  set_error_handler(Handler([](const httplib::Request&, httplib::Response& response) {
    HttpApi::ExplainError(response);
  }));
  set_exception_handler([](const httplib::Request& request, httplib::Response& response,
                           const std::exception_ptr& problem) {
    try {
      std::rethrow_exception(problem);
    } catch (const std::exception& error) {
      spdlog::error("admin: {} {} failed: {}", request.method, Printable(request.path),
                    error.what());
    }
    RespondError(500, "see the log", response);
  });
}

void HttpConnection::Run() {
  bool closes = true;
  process_request(stream_, closes, closes, Amend);
  stream_.Finish();
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
      http_api_(calls_, watchers_, bound.host),
      grpc_(calls_, watchers_),
      http_(limits.http,
            [this](const Connection& connection) {
              HttpConnection(connection, limits_.request, http_api_).Run();
            }),
      entrance_(std::move(bound.sockets), limits.connections, limits.first_bytes,
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
  if (refused) SendBusy(*refused);
}

}  // namespace lanekeeper

#include "proxy/admin/observability_server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <prometheus/text_serializer.h>

#include <functional>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "config/address.h"
#include "proxy/net/listening_socket.h"
#include "proxy/observe/readiness.h"

namespace lanekeeper {
namespace {

constexpr char kMetrics[] = "/metrics";

httplib::Server::Handler Probe(std::function<bool()> good, const char* otherwise) {
  return [good = std::move(good), otherwise](const httplib::Request&, httplib::Response& response) {
    response.status = good() ? 200 : 503;
    response.set_content(good() ? "ok\n" : otherwise, "text/plain");
  };
}

// Before its body, for which nobody shall wait.
httplib::Server::HandlerResponse Refuse(const httplib::Request& request,
                                        httplib::Response& response) {
  using Outcome = httplib::Server::HandlerResponse;
  if (request.method != "GET" && request.method != "HEAD") {
    response.status = 404;
    return Outcome::Handled;
  }
  // The library would send as many copies of a page as a header can name ranges.
  if (!request.has_header("Range")) return Outcome::Unhandled;
  response.status = 400;
  response.set_content("no ranges\n", "text/plain");
  return Outcome::Handled;
}

// Whether a request that begins so, unread yet, is for the metrics. What only looks different and
// means the same is not found.
bool IsScrape(const Connection& connection) {
  char bytes[32];
  const ssize_t count = recv(connection.fd(), bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
  if (count <= 0) return false;
  const std::string_view head(bytes, static_cast<size_t>(count));
  const size_t path = head.find(' ');
  return path != head.npos && head.substr(path + 1, sizeof kMetrics - 1) == kMetrics;
}

}  // namespace

// cpp-httplib parses and writes; its server never listens here, but is lent streams of ours. Each
// answer ends its connection: who keeps one would hold its thread. Any thread.
class ObservabilityServer::Pages final : private httplib::Server {
 public:
  explicit Pages(const prometheus::Collectable& metrics) : Pages() {
    Get(kMetrics, [&metrics](const httplib::Request&, httplib::Response& response) {
      response.set_content(prometheus::TextSerializer().Serialize(metrics.Collect()),
                           "text/plain; version=0.0.4; charset=utf-8");
    });
  }
  explicit Pages(const Readiness& readiness) : Pages() {
    Get("/livez", Probe([] { return true; }, ""));
    Get("/readyz",
        Probe([&readiness] { return readiness.ready(); }, "not ready: starting or draining\n"));
    Get("/startupz", Probe([&readiness] { return readiness.started(); }, "starting\n"));
  }

  void Answer(const Connection& connection, HttpStream::Limits limits) {
    HttpStream stream(connection.fd(), limits);
    bool closes = true;
    process_request(stream, closes, closes, nullptr);
    // What has come meanwhile is read; more is not waited for.
    stream.Finish(std::chrono::milliseconds(0));
  }

 private:
  Pages() {
    // The library takes a server without a socket for one that ends.
    svr_sock_ = 0;
    set_pre_routing_handler(Refuse);
  }
};

ObservabilityServer::ObservabilityServer(const std::string& address,
                                         const prometheus::Collectable& metrics,
                                         const Readiness& readiness,
                                         const ObservabilityLimits& limits)
    : ObservabilityServer(Bind(address), metrics, readiness, limits) {}

ObservabilityServer::ObservabilityServer(Bound bound, const prometheus::Collectable& metrics,
                                         const Readiness& readiness,
                                         const ObservabilityLimits& limits)
    : limits_(limits),
      host_(std::move(bound.host)),
      port_(bound.sockets.front().port()),
      scrape_pages_(std::make_unique<Pages>(metrics)),
      probe_pages_(std::make_unique<Pages>(readiness)),
      scrapes_("lk-http-scrape", limits.scrapes,
               [this](const Connection& connection) {
                 scrape_pages_->Answer(connection, limits_.scrape);
               }),
      probes_("lk-http-probe", limits.probes,
              [this](const Connection& connection) {
                probe_pages_->Answer(connection, limits_.probe);
              }),
      entrance_("lk-http-accept", std::move(bound.sockets), limits.connections, limits.first_bytes,
                [this](Protocol, Connection connection) { OnRequest(std::move(connection)); }) {
  scrapes_.StartThreads();
  probes_.StartThreads();
}

// Along the way that a connection takes, so that none appears behind what has ended. What goes on
// has its time to end; then it is cut.
ObservabilityServer::~ObservabilityServer() {
  entrance_.Close(limits_.end_grace);
  probes_.Stop();
  scrapes_.Stop();
}

ObservabilityServer::Bound ObservabilityServer::Bind(const std::string& address) {
  std::string why;
  const std::optional<ListenAddress> wanted = ParseListenAddress(address, &why);
  if (!wanted || wanted->is_unix()) {
    throw std::runtime_error(fmt::format("cannot serve metrics on {}: {}", address, why));
  }
  try {
    return {wanted->host, ListeningSocket::Open(*wanted)};
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("metrics: {}", error.what()));
  }
}

// HTTP/2, too: clients of gRPC that dial this port by mistake learn from the answer what it is.
void ObservabilityServer::OnRequest(Connection connection) {
  ConnectionWorkers& workers = IsScrape(connection) ? scrapes_ : probes_;
  const std::optional<Connection> refused = workers.Offer(std::move(connection));
  if (refused) RefuseBusy(refused->fd(), "text/plain", "too many requests wait already\n");
}

std::string ObservabilityServer::name() const {
  const bool is_v6 = host_.find(':') != std::string::npos;
  return is_v6 ? fmt::format("[{}]:{}", host_, port_) : fmt::format("{}:{}", host_, port_);
}

}  // namespace lanekeeper

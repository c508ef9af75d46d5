#include "proxy/admin/observability_server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <prometheus/text_serializer.h>

#include <functional>
#include <optional>
#include <stdexcept>

#include "config/address.h"
#include "proxy/base/thread_name.h"
#include "proxy/net/listening_socket.h"
#include "proxy/observe/readiness.h"

namespace lanekeeper {
namespace {

// A scrape and the probes of one pod at once; more wait.
constexpr size_t kThreads = 4;
constexpr auto kPeerTimeout = std::chrono::seconds(5);
constexpr size_t kRequestBytesMax = 64 * 1024;

httplib::Server::Handler Probe(std::function<bool()> good, const char* otherwise) {
  return [good = std::move(good), otherwise](const httplib::Request&, httplib::Response& response) {
    response.status = good() ? 200 : 503;
    response.set_content(good() ? "ok\n" : otherwise, "text/plain");
  };
}

}  // namespace

ObservabilityServer::ObservabilityServer(const std::string& address,
                                         const prometheus::Collectable& metrics,
                                         const Readiness& readiness)
    : server_(std::make_unique<httplib::Server>()) {
  server_->new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server_->set_read_timeout(kPeerTimeout);
  server_->set_write_timeout(kPeerTimeout);
  server_->set_payload_max_length(kRequestBytesMax);
  // One request a connection: a kept-alive one would hold its thread, and our end, for seconds.
  server_->set_keep_alive_max_count(1);
  // Not the library's default, which lets a second process share the port unnoticed.
  server_->set_socket_options([](socket_t socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  AddPages(metrics, readiness);
  Bind(address);
  thread_ = std::thread([this] {
    SetThreadName("lk-http");
    server_->listen_after_bind();
  });
  // stop() does nothing to a server that does not run yet.
  while (!server_->is_running()) std::this_thread::yield();
}

ObservabilityServer::~ObservabilityServer() {
  server_->stop();
  thread_.join();
}

void ObservabilityServer::Bind(const std::string& address) {
  std::string why;
  const std::optional<ListenAddress> wanted = ParseListenAddress(address, &why);
  if (!wanted || wanted->is_unix()) {
    throw std::runtime_error(fmt::format("cannot serve metrics on {}: {}", address, why));
  }
  try {
    // The library does not say why it cannot bind: try it for ourselves first.
    ListeningSocket::Open(*wanted);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("metrics: {}", error.what()));
  }
  host_ = wanted->host;
  port_ = wanted->port;
  if (port_ == 0)
    port_ = server_->bind_to_any_port(host_);
  else if (!server_->bind_to_port(host_, port_))
    port_ = -1;
  if (port_ < 0) throw std::runtime_error(fmt::format("cannot serve metrics on {}", address));
}

void ObservabilityServer::AddPages(const prometheus::Collectable& metrics,
                                   const Readiness& readiness) {
  // The library would send as many copies of a page as a header can name ranges.
  server_->set_pre_routing_handler(
      [](const httplib::Request& request, httplib::Response& response) {
        if (!request.has_header("Range")) return httplib::Server::HandlerResponse::Unhandled;
        response.status = 400;
        response.set_content("no ranges\n", "text/plain");
        return httplib::Server::HandlerResponse::Handled;
      });
  server_->Get("/metrics", [&metrics](const httplib::Request&, httplib::Response& response) {
    response.set_content(prometheus::TextSerializer().Serialize(metrics.Collect()),
                         "text/plain; version=0.0.4; charset=utf-8");
  });
  server_->Get("/livez", Probe([] { return true; }, ""));
  server_->Get("/readyz", Probe([&readiness] { return readiness.ready(); },
                                "not ready: starting or draining\n"));
  server_->Get("/startupz", Probe([&readiness] { return readiness.started(); }, "starting\n"));
}

std::string ObservabilityServer::name() const {
  const bool is_v6 = host_.find(':') != std::string::npos;
  return is_v6 ? fmt::format("[{}]:{}", host_, port_) : fmt::format("{}:{}", host_, port_);
}

}  // namespace lanekeeper

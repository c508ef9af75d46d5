#include "proxy/admin/observability_server.h"

#include <CivetServer.h>
#include <fmt/format.h>
#include <prometheus/text_serializer.h>

#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "config/address.h"
#include "proxy/downstream/listening_socket.h"
#include "proxy/lifecycle/readiness.h"

namespace lanekeeper {
namespace {

// A scrape and the probes of one pod; more wait in civetweb's queue.
constexpr const char* kThreads = "4";

void Reply(mg_connection* connection, int code, const char* reason, const char* type,
           const std::string& body) {
  mg_printf(connection,
            "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
            "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n",
            code, reason, type, body.size());
  mg_write(connection, body.data(), body.size());
}

}  // namespace

class ObservabilityServer::MetricsHandler final : public CivetHandler {
 public:
  explicit MetricsHandler(const prometheus::Collectable& metrics) : metrics_(metrics) {}

  bool handleGet(CivetServer*, mg_connection* connection) override {
    Reply(connection, 200, "OK", "text/plain; version=0.0.4; charset=utf-8",
          prometheus::TextSerializer().Serialize(metrics_.Collect()));
    return true;
  }

 private:
  const prometheus::Collectable& metrics_;
};

class ObservabilityServer::ProbeHandler final : public CivetHandler {
 public:
  ProbeHandler(std::function<bool()> good, const char* otherwise)
      : good_(std::move(good)), otherwise_(otherwise) {}

  bool handleGet(CivetServer*, mg_connection* connection) override {
    if (good_()) Reply(connection, 200, "OK", "text/plain", "ok\n");
    else Reply(connection, 503, "Service Unavailable", "text/plain", otherwise_);
    return true;
  }

 private:
  const std::function<bool()> good_;
  const char* const otherwise_;
};

ObservabilityServer::ObservabilityServer(const std::string& address,
                                         const prometheus::Collectable& metrics,
                                         const Readiness& readiness)
    : metrics_(std::make_unique<MetricsHandler>(metrics)),
      livez_(std::make_unique<ProbeHandler>([] { return true; }, "")),
      readyz_(std::make_unique<ProbeHandler>([&readiness] { return readiness.ready(); },
                                             "not ready: starting or draining\n")),
      startupz_(std::make_unique<ProbeHandler>([&readiness] { return readiness.started(); },
                                               "starting\n")) {
  std::string why;
  const std::optional<ListenAddress> wanted = ParseListenAddress(address, &why);
  if (!wanted || wanted->is_unix()) {
    throw std::runtime_error(fmt::format("cannot serve metrics on {}: {}", address, why));
  }
  // civetweb does not say why it cannot bind, and takes numeric addresses only: try it for ourselves first.
  {
    const ListeningSocket probe = std::move(ListeningSocket::Open(*wanted).front());
    host_ = probe.name().substr(0, probe.name().rfind(':'));
  }
  const std::vector<std::string> options = {
      "listening_ports", fmt::format("{}:{}", host_, wanted->port), "num_threads", kThreads,
      "enable_directory_listing", "no", "enable_keep_alive", "no"};
  try {
    server_ = std::make_unique<CivetServer>(options);
  } catch (const CivetException& error) {
    throw std::runtime_error(fmt::format("cannot serve metrics on {}: {}", address, error.what()));
  }
  port_ = server_->getListeningPorts().front();
  server_->addHandler("/metrics$", metrics_.get());
  server_->addHandler("/livez$", livez_.get());
  server_->addHandler("/readyz$", readyz_.get());
  server_->addHandler("/startupz$", startupz_.get());
}

ObservabilityServer::~ObservabilityServer() = default;

std::string ObservabilityServer::name() const { return fmt::format("{}:{}", host_, port_); }

}  // namespace lanekeeper

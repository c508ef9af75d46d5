#include "proxy/downstream/listener.h"

#include <spdlog/spdlog.h>

#include <stdexcept>
#include <utility>

#include "config/address.h"
#include "proxy/log/log_event.h"

namespace lanekeeper {

Listener::Listener(const std::vector<ListenConfig>& listen, DownstreamContext context)
    : context_(std::move(context)), loop_(context_.environment.loop) {
  context_.counts = &frames_;
  std::vector<ListeningSocket> sockets;
  std::string problems;
  for (const ListenConfig& one : listen) {
    std::string why;
    try {
      const std::optional<ListenAddress> address = ParseListenAddress(one.address, &why);
      if (!address) throw std::runtime_error("cannot listen on " + one.address + ": " + why);
      for (ListeningSocket& socket : ListeningSocket::Open(*address)) {
        sockets.push_back(std::move(socket));
      }
    } catch (const std::runtime_error& error) {
      problems += (problems.empty() ? "" : "\n") + std::string(error.what());
    }
  }
  if (!problems.empty()) throw std::runtime_error(problems);
  for (const ListeningSocket& socket : sockets) {
    addresses_.push_back(socket.name());
    if (!socket.is_unix()) ports_.push_back(socket.port());
  }
  acceptor_ = std::make_unique<Acceptor>(
      loop_, std::move(sockets), [this](Fd socket, const ListeningSocket&) {
        auto connection =
            std::make_unique<DownstreamConnection>(context_, std::move(socket), *this);
        if (stopped_) connection->ShutDown();
        connections_count_.fetch_add(1, std::memory_order_relaxed);
        const DownstreamConnection* key = connection.get();
        connections_.emplace(key, std::move(connection));
      });
}

Listener::~Listener() = default;

void Listener::Start() {
  loop_.Post([this] { acceptor_->Start(); });
}

void Listener::OnEnd(DownstreamConnection& connection, const http2::ConnectionEnd& end) {
  Log(connection, end);
  const auto found = connections_.find(&connection);
  loop_.Retire(std::move(found->second));
  connections_.erase(found);
  connections_count_.fetch_sub(1, std::memory_order_relaxed);
  const std::lock_guard lock(closed_mutex_);
  closed_.notify_all();
}

// One line for each peer that is no gRPC client, or no friend; nothing for those that come and go.
void Listener::Log(const DownstreamConnection& connection, const http2::ConnectionEnd& end) {
  if (!http2::IsFault(end.kind)) return;
  LogEvent(line_limit_, LogLevel::kWarn, "downstream connection ended",
           [&](LogFields& fields) { fields.Add("peer", connection.peer()).Add("why", end.text); });
}

void Listener::StopAccepting() {
  loop_.Post([this] {
    stopped_ = true;
    acceptor_->StopAccepting();
    for (const auto& [key, connection] : connections_) connection->ShutDown();
  });
}

void Listener::Shutdown(std::chrono::milliseconds patience) {
  loop_.Post([this] {
    std::vector<DownstreamConnection*> open;
    for (const auto& [key, connection] : connections_) open.push_back(connection.get());
    for (DownstreamConnection* connection : open) connection->Close();
  });
  std::unique_lock lock(closed_mutex_);
  closed_.wait_for(lock, patience, [this] { return connections() == 0; });
}

}  // namespace lanekeeper

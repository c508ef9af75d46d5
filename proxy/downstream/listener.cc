#include "proxy/downstream/listener.h"

#include <spdlog/spdlog.h>

#include <stdexcept>
#include <utility>

#include "config/address.h"
#include "config/tls_files.h"
#include "proxy/log/log_event.h"

namespace lanekeeper {

Listener::Listener(const std::vector<ListenConfig>& listen, DownstreamContext context)
    : context_(std::move(context)), loop_(context_.environment.loop), tls_entrance_(loop_) {
  context_.counts = &frames_;
  std::string problems;
  for (const ListenConfig& one : listen) {
    try {
      doors_.push_back(Open(one));
    } catch (const std::runtime_error& error) {
      problems += (problems.empty() ? "" : "\n") + std::string(error.what());
    }
  }
  if (!problems.empty()) throw std::runtime_error(problems);
}

Listener::Door Listener::Open(const ListenConfig& listen) {
  std::string why;
  const std::optional<ListenAddress> address = ParseListenAddress(listen.address, &why);
  if (!address) throw std::runtime_error("cannot listen on " + listen.address + ": " + why);
  const mode_t mode = listen.mode ? static_cast<mode_t>(*listen.mode) : ListeningSocket::kUnixMode;
  std::vector<ListeningSocket> sockets = ListeningSocket::Open(*address, mode);
  for (const ListeningSocket& socket : sockets) {
    addresses_.push_back(socket.name());
    if (!socket.is_unix()) ports_.push_back(socket.port());
  }
  Door door;
  if (const auto files = FilesOf(listen.tls)) {
    door.credentials =
        std::make_unique<TlsCredentials>(loop_, *files, "listener " + listen.address);
  }
  door.acceptor = std::make_unique<Acceptor>(
      loop_, std::move(sockets),
      [this, credentials = door.credentials.get()](Fd socket, const ListeningSocket&) {
        if (credentials == nullptr) return Admit(Transport(std::move(socket)));
        tls_entrance_.Begin(std::move(socket), *credentials,
                            [this](Transport transport) { Admit(std::move(transport)); });
      });
  return door;
}

void Listener::Admit(Transport transport) {
  auto connection = std::make_unique<DownstreamConnection>(context_, std::move(transport), *this);
  if (stopped_) connection->ShutDown();
  connections_count_.fetch_add(1, std::memory_order_relaxed);
  const DownstreamConnection* key = connection.get();
  connections_.emplace(key, std::move(connection));
}

Listener::~Listener() = default;

void Listener::Start() {
  loop_.Post([this] {
    for (const Door& door : doors_) door.acceptor->Start();
  });
}

int64_t Listener::accept_failures() const {
  int64_t failures = 0;
  for (const Door& door : doors_) failures += door.acceptor->accept_failures();
  return failures;
}

void Listener::OnEnd(DownstreamConnection& connection, const http2::ConnectionEnd& end) {
  Log(connection, end);
  if (end.kind == http2::EndKind::kFlood) {
    floods_[static_cast<size_t>(end.flood)].fetch_add(1, std::memory_order_relaxed);
  }
  const auto found = connections_.find(&connection);
  loop_.Retire(std::move(found->second));
  connections_.erase(found);
  connections_count_.fetch_sub(1, std::memory_order_relaxed);
  const std::lock_guard lock(closed_mutex_);
  closed_.notify_all();
}

// One line for each peer that is no gRPC client, or no friend; nothing for those that come and go.
void Listener::Log(const DownstreamConnection& connection, const http2::ConnectionEnd& end) {
  if (end.kind == http2::EndKind::kPeerClosed || end.kind == http2::EndKind::kSocketError ||
      end.kind == http2::EndKind::kClosed) {
    return;
  }
  LogEvent(line_limit_, LogLevel::kWarn, "downstream connection ended",
           [&](LogFields& fields) { fields.Add("peer", connection.peer()).Add("why", end.text); });
}

void Listener::StopAccepting() {
  loop_.Post([this] {
    stopped_ = true;
    for (const Door& door : doors_) door.acceptor->StopAccepting();
    for (const auto& [key, connection] : connections_) connection->ShutDown();
  });
}

void Listener::Shutdown(std::chrono::milliseconds patience) {
  loop_.Post([this] {
    tls_entrance_.Close();
    std::vector<DownstreamConnection*> open;
    for (const auto& [key, connection] : connections_) open.push_back(connection.get());
    for (DownstreamConnection* connection : open) connection->Close();
  });
  std::unique_lock lock(closed_mutex_);
  closed_.wait_for(lock, patience, [this] { return connections() == 0; });
}

}  // namespace lanekeeper

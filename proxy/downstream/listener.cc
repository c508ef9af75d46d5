#include "proxy/downstream/listener.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <utility>

#include "config/address.h"
#include "config/overlap.h"
#include "config/tls_files.h"
#include "proxy/log/log_event.h"
#include "proxy/net/socket_address.h"

namespace lanekeeper {
namespace {

// Binds one entry of the list; false, with why, if that cannot be.
bool Open(const ListenConfig& config, std::vector<ListeningSocket>& sockets, std::string* why) {
  try {
    const std::optional<ListenAddress> address = ParseListenAddress(config.address, why);
    if (!address) throw std::runtime_error("cannot listen on " + config.address + ": " + *why);
    const mode_t mode =
        config.mode ? static_cast<mode_t>(*config.mode) : ListeningSocket::kUnixMode;
    for (ListeningSocket& socket : ListeningSocket::Open(*address, mode)) {
      sockets.push_back(std::move(socket));
    }
    return true;
  } catch (const std::runtime_error& error) {
    *why = error.what();
    return false;
  }
}

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// What keeps a new socket from its port although this very change closes it; empty if nothing does.
std::string HeldBy(const ListenConfig& wanted, const std::vector<Listener::Listening>& closing) {
  std::string ignored;
  const std::optional<ListenAddress> address = ParseListenAddress(wanted.address, &ignored);
  for (const Listener::Listening& one : closing) {
    for (const std::string& name : one.names) {
      const std::optional<ListenAddress> held = ParseListenAddress(name, &ignored);
      if (address && held && ListenOverlap(*address, *held)) {
        return fmt::format(
            "; {}, which would be closed, is closed last: remove it by a reload of its own, or "
            "restart",
            name);
      }
    }
  }
  return {};
}

}  // namespace

Listener::Listener(const std::vector<ListenConfig>& listen, DownstreamContext context)
    : context_(std::move(context)), loop_(context_.environment.loop), tls_entrance_(loop_) {
  context_.counts = &frames_;
  Change change = Prepare(listen);
  ReadFiles(change);
  if (!change.problems.empty()) {
    throw std::runtime_error(fmt::format("{}", fmt::join(change.problems, "\n")));
  }
  listening_ = std::move(change.listening);
  // Clients shall not keep us from the upstream, from our files, or from those who look after us.
  acceptor_ = std::make_unique<Acceptor>(
      loop_, std::move(change.opened),
      [this](Fd socket, const ListeningSocket& by) { Accept(std::move(socket), by); },
      Acceptor::Descriptors::kLeaveSome);
}

void Listener::Accept(Fd socket, const ListeningSocket& by) {
  if (!context_.admission.TakesConnection(connections())) {
    return Reject(socket.get(), ConnectionRejectReason::kConnections);
  }
  const auto own = std::find_if(listening_.begin(), listening_.end(), [&](const Listening& one) {
    return Contains(one.names, by.name());
  });
  if (own == listening_.end()) return;
  if (own->credentials == nullptr) return Admit(Transport(std::move(socket)), by.name());
  tls_entrance_.Begin(std::move(socket), *own->credentials,
                      [this, name = by.name()](Transport transport) {
                        // Others may have come in during the handshake.
                        if (!context_.admission.TakesConnection(connections())) {
                          return Reject(transport.fd(), ConnectionRejectReason::kConnections);
                        }
                        Admit(std::move(transport), name);
                      });
}

void Listener::Admit(Transport transport, const std::string& by) {
  auto connection = std::make_unique<DownstreamConnection>(context_, std::move(transport), *this);
  // A listener may have been removed while a client of it shook hands.
  const bool listening = std::any_of(listening_.begin(), listening_.end(),
                                     [&](const Listening& one) { return Contains(one.names, by); });
  if (stopped_ || !listening) connection->ShutDown();
  connections_count_.fetch_add(1, std::memory_order_relaxed);
  const DownstreamConnection* key = connection.get();
  connections_.emplace(key, Accepted{std::move(connection), by});
}

Listener::~Listener() = default;

void Listener::Start() {
  loop_.Post([this] { acceptor_->Start(); });
}

// Closed without a word: a gRPC client that has not seen SETTINGS backs off before it dials again,
// one that has seen them and a GOAWAY dials again at once.
void Listener::Reject(int socket, ConnectionRejectReason reason) {
  rejected_[static_cast<size_t>(reason)].fetch_add(1, std::memory_order_relaxed);
  LogEvent(reject_line_limit_, LogLevel::kWarn, "downstream connection refused",
           [&](LogFields& fields) {
             fields.Add("peer", PeerName(socket))
                 .Add("why", fmt::format("limits.connections reached ({})",
                                         context_.admission.connections_max()));
           });
}

std::vector<std::string> Listener::addresses() const {
  const std::lock_guard lock(listening_mutex_);
  std::vector<std::string> names;
  for (const Listening& one : listening_) {
    names.insert(names.end(), one.names.begin(), one.names.end());
  }
  return names;
}

std::vector<int> Listener::ports() const {
  const std::lock_guard lock(listening_mutex_);
  std::vector<int> ports;
  for (const Listening& one : listening_) {
    std::copy_if(one.ports.begin(), one.ports.end(), std::back_inserter(ports),
                 [](int port) { return port != 0; });
  }
  return ports;
}

// Entries go by their text. Of equal ones (port 0, say) as many stay as there are.
Listener::Change Listener::Prepare(const std::vector<ListenConfig>& listen) const {
  Change change;
  std::vector<const ListenConfig*> failed;  // in the order of the problems
  std::vector<Listening> before;
  {
    const std::lock_guard lock(listening_mutex_);
    before = listening_;
  }
  for (const ListenConfig& config : listen) {
    const auto known = std::find_if(before.begin(), before.end(), [&](const Listening& one) {
      return one.address == config.address;
    });
    if (known != before.end()) {
      known->tls = config.tls;
      change.listening.push_back(std::move(*known));
      before.erase(known);
      continue;
    }
    std::vector<ListeningSocket> sockets;
    std::string why;
    if (!Open(config, sockets, &why)) {
      change.problems.push_back(why);
      failed.push_back(&config);
      continue;
    }
    Listening opened{config.address, {}, {}, config.tls, nullptr};
    for (ListeningSocket& socket : sockets) {
      opened.names.push_back(socket.name());
      opened.ports.push_back(socket.port());
      change.opened.push_back(std::move(socket));
    }
    change.listening.push_back(std::move(opened));
  }
  for (size_t i = 0; i < failed.size(); ++i) change.problems[i] += HeldBy(*failed[i], before);
  for (const Listening& gone : before) {
    change.closed.insert(change.closed.end(), gone.names.begin(), gone.names.end());
  }
  return change;
}

// An entry whose TLS is as before keeps what it has; one without files is plain.
void Listener::ReadFiles(Change& change) const {
  for (Listening& one : change.listening) {
    const auto before =
        std::find_if(listening_.begin(), listening_.end(),
                     [&](const Listening& known) { return known.names == one.names; });
    if (before != listening_.end() && before->tls == one.tls) continue;
    one.credentials = nullptr;
    const auto files = FilesOf(one.tls);
    if (!files) continue;
    try {
      one.credentials = std::make_shared<TlsCredentials>(loop_, *files, "listener " + one.address);
    } catch (const std::runtime_error& error) {
      change.problems.emplace_back(error.what());
    }
  }
}

void Listener::Apply(Change change) {
  {
    const std::lock_guard lock(listening_mutex_);
    listening_.swap(change.listening);
  }
  for (const ListeningSocket& socket : change.opened)
    spdlog::info("listening on {}", socket.name());
  acceptor_->Remove(change.closed);
  acceptor_->Add(std::move(change.opened));
  size_t leaving = 0;
  for (const auto& [key, accepted] : connections_) {
    if (!Contains(change.closed, accepted.by)) continue;
    accepted.connection->ShutDown();
    ++leaving;
  }
  for (const std::string& name : change.closed) spdlog::info("listener closed: {}", name);
  if (leaving > 0) spdlog::info("{} connections of closed listeners get a GOAWAY", leaving);
}

void Listener::SetRules(RequestRules rules, size_t header_list_bytes_max) {
  context_.rules = std::move(rules);
  context_.header_list_bytes_max = header_list_bytes_max;
}

void Listener::OnEnd(DownstreamConnection& connection, const http2::ConnectionEnd& end) {
  Log(connection, end);
  const auto found = connections_.find(&connection);
  loop_.Retire(std::move(found->second.connection));
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
    for (const auto& [key, accepted] : connections_) accepted.connection->ShutDown();
  });
}

void Listener::Shutdown(std::chrono::milliseconds patience) {
  loop_.Post([this] {
    tls_entrance_.Close();
    std::vector<DownstreamConnection*> open;
    open.reserve(connections_.size());
    for (const auto& [key, accepted] : connections_) open.push_back(accepted.connection.get());
    for (DownstreamConnection* connection : open) connection->Close();
  });
  std::unique_lock lock(closed_mutex_);
  closed_.wait_for(lock, patience, [this] { return connections() == 0; });
}

}  // namespace lanekeeper

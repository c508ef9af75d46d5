#include "proxy/upstream/upstream_connection.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <random>
#include <utility>

namespace lanekeeper {
namespace {

std::string WhyEnded(const http2::ConnectionEnd& end) {
  switch (end.kind) {
    case http2::EndKind::kHttp1:
      return "the upstream speaks HTTP/1";
    case http2::EndKind::kTls:
      return "the upstream speaks TLS";
    case http2::EndKind::kOther:
      return "the upstream does not speak HTTP/2";
    case http2::EndKind::kPeerClosed:
      return "the upstream closed the connection";
    default:
      return end.text.empty() ? "the connection ended" : end.text;
  }
}

// Connections that were made together must not all be replaced together.
Instant Jittered(std::chrono::nanoseconds age) {
  std::random_device random;
  const double factor = std::uniform_real_distribution<double>(0.9, 1.1)(random);
  return static_cast<Instant>(static_cast<double>(age.count()) * factor);
}

// gRFC A18: what was sent and is not acknowledged needs no ping to show that the peer is gone. 0 is
// the system's default; sockets that are not TCP's do not mind.
void LimitSilence(int fd, std::chrono::nanoseconds timeout) {
  const auto ms = static_cast<unsigned>(timeout / std::chrono::milliseconds(1));
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

}  // namespace

UpstreamConnection::UpstreamConnection(EventLoop& loop, const std::vector<SocketAddress>& addresses,
                                       const UpstreamManners& manners,
                                       UpstreamConnectionOwner& owner)
    : loop_(loop),
      manners_(manners),
      owner_(owner),
      began_(InstantNow()),
      timer_(loop.timers(), *this),
      age_timer_(loop.timers(), *this) {
  connector_ = std::make_unique<Connector>(
      loop, addresses, manners.dial_timeout,
      [this](Fd socket, const SocketAddress& address, const std::string& error) {
        OnDialled(std::move(socket), address, error);
      });
  timer_.Set(began_ + manners.dial_timeout.count());
}

UpstreamConnection::~UpstreamConnection() = default;

void UpstreamConnection::OnDialled(Fd socket, const SocketAddress& address,
                                   const std::string& error) {
  if (!socket) return End(error);
  peer_ = address.Name();
  if (manners_.keepalive_time.count() > 0) LimitSilence(socket.get(), manners_.keepalive_timeout);
  if (manners_.tls != nullptr) return BeginTls(std::move(socket), address);
  BeginHttp2(std::move(socket));
}

void UpstreamConnection::BeginTls(Fd socket, const SocketAddress& address) {
  state_ = UpstreamState::kHandshaking;
  const std::string expected = manners_.server_name.empty() ? address.Ip() : manners_.server_name;
  const Instant left = began_ + manners_.dial_timeout.count() - loop_.now();
  handshake_ = std::make_unique<TlsHandshake>(
      loop_, std::move(socket),
      std::make_unique<TlsSession>(loop_.buffers(), manners_.tls->context(), expected), nullptr,
      std::chrono::nanoseconds(left),
      [this](TlsHandshake&, TlsResult result) { OnTls(std::move(result)); });
}

void UpstreamConnection::OnTls(TlsResult result) {
  loop_.Retire(std::move(handshake_));
  manners_.tls_counts->Add(result.outcome);
  if (result.outcome == TlsOutcome::kOk) {
    certificate_asked_for_ = result.transport.tls()->own_asked_for();
    return BeginHttp2(std::move(result.transport));
  }
  End(fmt::format("TLS handshake with {}: {}", peer_, result.error));
}

void UpstreamConnection::BeginHttp2(Transport transport) {
  state_ = UpstreamState::kAwaitingSettings;
  const http2::ConnectionOptions options{http2::Side::kUpstream, manners_.header_list_bytes_max,
                                         manners_.counts, manners_.first_stream_id};
  connection_ = std::make_unique<http2::Connection>(loop_, std::move(transport), options, *this);
}

void UpstreamConnection::OnReady() {
  if (state_ != UpstreamState::kAwaitingSettings) return;
  state_ = UpstreamState::kReady;
  idle_since_ = loop_.now();
  SetKeepalive();
  if (manners_.max_age.count() > 0) age_timer_.Set(loop_.now() + Jittered(manners_.max_age));
  owner_.OnReady(*this);
}

void UpstreamConnection::SetKeepalive() {
  timer_.Cancel();
  if (manners_.keepalive_time.count() > 0) {
    timer_.Set(loop_.now() + manners_.keepalive_time.count());
  }
}

void UpstreamConnection::KeepaliveChanged() {
  const bool is_up = state_ == UpstreamState::kReady || state_ == UpstreamState::kDraining;
  if (!is_up) return;
  const bool is_on = manners_.keepalive_time.count() > 0;
  LimitSilence(connection_->fd(), is_on ? manners_.keepalive_timeout : std::chrono::nanoseconds(0));
  if (!ping_sent_) SetKeepalive();
}

// Before it is ready: the peer's time is over. Later: keepalive, by gRPC's rules (gRFC A8): no
// pings without RPCs, and none while something comes anyway.
void UpstreamConnection::OnTimer() {
  // The connector and the handshake have their own bounds.
  if (state_ == UpstreamState::kDialling || state_ == UpstreamState::kHandshaking) return;
  if (state_ == UpstreamState::kAwaitingSettings) {
    return End(fmt::format("connect to {}: no SETTINGS within {} s", peer_,
                           manners_.dial_timeout / std::chrono::seconds(1)));
  }
  if (ping_sent_) {
    connection_->Abort(fmt::format("keepalive: no answer within {} ms",
                                   manners_.keepalive_timeout / std::chrono::milliseconds(1)));
    return;
  }
  const Instant due = connection_->received_at() + manners_.keepalive_time.count();
  if (due > loop_.now() || connection_->open_streams() == 0) {
    timer_.Set(std::max(due, loop_.now() + 1'000'000));
    if (connection_->open_streams() == 0) SetKeepalive();
    return;
  }
  ping_sent_ = true;
  connection_->Ping();
  timer_.Set(loop_.now() + manners_.keepalive_timeout.count());
}

void UpstreamConnection::OnAge() {
  aged_ = true;
  if (state_ == UpstreamState::kReady) owner_.OnWorn(*this);
}

bool UpstreamConnection::worn() const {
  return aged_ || address_gone_ || connection_->ids_run_out() ||
         connection_->resets_sent() >= manners_.resets_max;
}

void UpstreamConnection::OnPong() {
  if (!ping_sent_) return;
  ping_sent_ = false;
  SetKeepalive();
}

void UpstreamConnection::OnRoom() {
  idle_since_ = loop_.now();
  if (state_ == UpstreamState::kDraining) {
    if (connection_->open_streams() == 0) connection_->Close();
    return;
  }
  owner_.OnRoom(*this);
}

// A notice and the last word: a peer that goes on says nothing new.
void UpstreamConnection::OnGoaway(const http2::Goaway& goaway) {
  constexpr int kHeardMax = 2;
  state_ = UpstreamState::kDraining;
  if (++goaways_ > kHeardMax) return;
  owner_.OnGoaway(*this, goaway);
}

void UpstreamConnection::Drain() {
  if (state_ == UpstreamState::kEnded) return;
  state_ = UpstreamState::kDraining;
  if (connection_ != nullptr && connection_->open_streams() == 0) connection_->Close();
}

// In TLS 1.3 a server judges our certificate when the handshake is done for us, and some say
// nothing.
void UpstreamConnection::OnEnd(const http2::ConnectionEnd& end) {
  std::string why = WhyEnded(end);
  if (state_ == UpstreamState::kAwaitingSettings && certificate_asked_for_) {
    // A reload may have ended TLS meanwhile.
    const bool shown = manners_.tls != nullptr && manners_.tls->facts().has_value();
    why += shown ? "; it had asked for a certificate, and was shown one"
                 : "; it had asked for a certificate, and none is configured";
  }
  End(why);
}

void UpstreamConnection::End(const std::string& why) {
  if (state_ == UpstreamState::kEnded) return;
  state_ = UpstreamState::kEnded;
  timer_.Cancel();
  age_timer_.Cancel();
  owner_.OnEnd(*this, why);
}

}  // namespace lanekeeper

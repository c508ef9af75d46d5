#include "proxy/upstream/upstream_connection.h"

#include <fmt/format.h>

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

}  // namespace

UpstreamConnection::UpstreamConnection(EventLoop& loop, const std::vector<SocketAddress>& addresses,
                                       const UpstreamManners& manners,
                                       UpstreamConnectionOwner& owner)
    : loop_(loop),
      manners_(manners),
      owner_(owner),
      began_(InstantNow()),
      timer_(loop.timers(), *this) {
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
  state_ = UpstreamState::kAwaitingSettings;
  const http2::ConnectionOptions options{http2::Side::kUpstream, manners_.header_list_bytes_max,
                                         manners_.counts};
  connection_ = std::make_unique<http2::Connection>(loop_, std::move(socket), options, *this);
}

void UpstreamConnection::OnReady() {
  if (state_ != UpstreamState::kAwaitingSettings) return;
  state_ = UpstreamState::kReady;
  SetKeepalive();
  owner_.OnReady(*this);
}

void UpstreamConnection::SetKeepalive() {
  timer_.Cancel();
  if (manners_.keepalive_time.count() > 0) {
    timer_.Set(loop_.now() + manners_.keepalive_time.count());
  }
}

// Before it is ready: the peer's time is over. Later: keepalive, by gRPC's rules (gRFC A8): no
// pings without RPCs, and none while something comes anyway.
void UpstreamConnection::OnTimer() {
  if (state_ == UpstreamState::kDialling) return;  // the connector has its own bound
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

void UpstreamConnection::OnPong() {
  if (!ping_sent_) return;
  ping_sent_ = false;
  SetKeepalive();
}

void UpstreamConnection::OnRoom() {
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

void UpstreamConnection::OnEnd(const http2::ConnectionEnd& end) { End(WhyEnded(end)); }

void UpstreamConnection::End(const std::string& why) {
  if (state_ == UpstreamState::kEnded) return;
  state_ = UpstreamState::kEnded;
  timer_.Cancel();
  owner_.OnEnd(*this, why);
}

}  // namespace lanekeeper

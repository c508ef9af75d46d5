// One connection to the upstream: dialled, ready once its SETTINGS have come, later draining.
// Owns the HTTP/2 connection. On the loop's thread. Ends by itself when the peer or a fault ends
// it, and tells its owner once; the owner destroys it then or later.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "proxy/http2/connection.h"
#include "proxy/net/connector.h"

namespace lanekeeper {

class UpstreamConnection;

class UpstreamConnectionOwner {
 public:
  virtual void OnReady(UpstreamConnection& connection) = 0;
  virtual void OnRoom(UpstreamConnection& connection) = 0;
  virtual void OnGoaway(UpstreamConnection& connection, const http2::Goaway& goaway) = 0;
  // Also for a dial that failed.
  virtual void OnEnd(UpstreamConnection& connection, const std::string& why) = 0;

 protected:
  ~UpstreamConnectionOwner() = default;
};

// How an upstream connection is kept; `time` grows when the peer finds our pings too many.
struct UpstreamManners {
  std::chrono::nanoseconds dial_timeout{std::chrono::seconds(5)};  // SETTINGS included
  std::chrono::nanoseconds keepalive_time{0};
  std::chrono::nanoseconds keepalive_timeout{0};
  size_t header_list_bytes_max = 0;
  http2::FrameCounts* counts = nullptr;
};

enum class UpstreamState : uint8_t { kDialling, kAwaitingSettings, kReady, kDraining, kEnded };

class UpstreamConnection final : public Retired, public http2::ConnectionObserver {
 public:
  // Dials from here on; the manners outlive this.
  UpstreamConnection(EventLoop& loop, const std::vector<SocketAddress>& addresses,
                     const UpstreamManners& manners, UpstreamConnectionOwner& owner);
  ~UpstreamConnection() override;

  UpstreamState state() const { return state_; }
  http2::Connection& http2() { return *connection_; }
  bool answered() const { return connection_ != nullptr && connection_->answered(); }
  Instant began() const { return began_; }
  const std::string& peer() const { return peer_; }
  // No new RPCs; closes when the last has ended.
  void Drain();

 private:
  void OnDialled(Fd socket, const SocketAddress& address, const std::string& error);
  void OnTimer();
  void OnRequest(int32_t, const http2::FieldList&, bool, bool) override {}
  void OnReady() override;
  void OnRoom() override;
  void OnGoaway(const http2::Goaway& goaway) override;
  void OnPong() override;
  void OnEnd(const http2::ConnectionEnd& end) override;
  void SetKeepalive();
  void End(const std::string& why);

  EventLoop& loop_;
  const UpstreamManners& manners_;
  UpstreamConnectionOwner& owner_;
  const Instant began_;
  std::string peer_;
  UpstreamState state_ = UpstreamState::kDialling;
  bool ping_sent_ = false;
  int goaways_ = 0;
  std::unique_ptr<Connector> connector_;
  std::unique_ptr<http2::Connection> connection_;
  TimerOf<UpstreamConnection, &UpstreamConnection::OnTimer> timer_;
};

}  // namespace lanekeeper

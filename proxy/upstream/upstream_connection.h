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
#include "proxy/net/tls_credentials.h"
#include "proxy/net/tls_handshake.h"

namespace lanekeeper {

class UpstreamConnection;

class UpstreamConnectionOwner {
 public:
  virtual void OnReady(UpstreamConnection& connection) = 0;
  virtual void OnRoom(UpstreamConnection& connection) = 0;
  // It has reached its age: another should take its place.
  virtual void OnWorn(UpstreamConnection& connection) = 0;
  virtual void OnGoaway(UpstreamConnection& connection, const http2::Goaway& goaway) = 0;
  // Also for a dial that failed.
  virtual void OnEnd(UpstreamConnection& connection, const std::string& why) = 0;

 protected:
  ~UpstreamConnectionOwner() = default;
};

// How upstream connections are kept. The channel changes two of them by what the peer says:
// keepalive_time grows when it finds our pings too many, resets_max shrinks when it counts resets.
struct UpstreamManners {
  std::chrono::nanoseconds dial_timeout{std::chrono::seconds(5)};  // TLS and SETTINGS included
  std::chrono::nanoseconds keepalive_time{0};                      // 0: no pings
  std::chrono::nanoseconds keepalive_timeout{0};
  std::chrono::nanoseconds max_age{0};                           // 0: for ever
  std::chrono::nanoseconds idle_after{std::chrono::minutes(5)};  // then more than one are too many
  size_t connections_max = 1;                                    // to each address
  int64_t resets_max = INT64_MAX;  // RST_STREAM that one connection sends before it is replaced
  int32_t first_stream_id = 1;
  size_t header_list_bytes_max = 0;
  http2::FrameCounts* counts = nullptr;
  const TlsCredentials* tls = nullptr;  // null: plaintext
  // Whom the upstream's certificate must name; empty: the address that was dialled.
  std::string server_name;
  TlsCounts* tls_counts = nullptr;
};

enum class UpstreamState : uint8_t {
  kDialling,
  kHandshaking,
  kAwaitingSettings,
  kReady,
  kDraining,
  kEnded
};

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
  // Another should take its place: it is old, short of stream ids, close to more resets than the
  // peer takes, or its address is gone. Until then it goes on.
  bool worn() const;
  void set_address_gone(bool gone) { address_gone_ = gone; }
  // Since when it has had no RPC; 0 if it has one.
  Instant idle_since() const { return connection_->open_streams() == 0 ? idle_since_ : 0; }
  const std::string& peer() const { return peer_; }
  // The manners' keepalive is another: for the next ping, one that is under way has its time.
  void KeepaliveChanged();
  // No new RPCs; closes when the last has ended.
  void Drain();

 private:
  void OnDialled(Fd socket, const SocketAddress& address, const std::string& error);
  void BeginTls(Fd socket, const SocketAddress& address);
  void OnTls(TlsResult result);
  void BeginHttp2(Transport transport);
  void OnTimer();
  void OnAge();
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
  bool aged_ = false;
  bool address_gone_ = false;
  Instant idle_since_ = 0;
  int goaways_ = 0;
  bool certificate_asked_for_ = false;
  std::unique_ptr<Connector> connector_;
  std::unique_ptr<TlsHandshake> handshake_;
  std::unique_ptr<http2::Connection> connection_;
  TimerOf<UpstreamConnection, &UpstreamConnection::OnTimer> timer_;
  TimerOf<UpstreamConnection, &UpstreamConnection::OnAge> age_timer_;
};

}  // namespace lanekeeper

// One list of addresses that are tried in order, and the connection that came of it: dial, back
// off, keep, renew before it breaks. On the loop's thread.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "proxy/upstream/backoff.h"
#include "proxy/upstream/upstream_connection.h"

namespace lanekeeper {

class Subchannel;

class SubchannelOwner {
 public:
  // A state has changed, or there is room for RPCs.
  virtual void OnChange(Subchannel& subchannel) = 0;
  // A connection was lost, could not be made, or is going away: the name may mean other addresses.
  virtual void OnTrouble(Subchannel& subchannel) = 0;
  virtual void OnTooManyPings() = 0;
  // The last of its connections has ended after Leave; destroy it later.
  virtual void OnLeft(Subchannel& subchannel) = 0;
  // For the metric: one more or one less.
  virtual void CountConnections(int change) = 0;

 protected:
  ~SubchannelOwner() = default;
};

enum class SubchannelState : uint8_t { kConnecting, kReady, kBackingOff, kLeaving };

class Subchannel final : public Retired, public UpstreamConnectionOwner {
 public:
  // Dials from here on.
  Subchannel(EventLoop& loop, std::vector<SocketAddress> addresses, const UpstreamManners& manners,
             SubchannelOwner& owner);
  ~Subchannel() override;

  // For the next dial, which is made at once if the connection's own address is gone.
  void SetAddresses(std::vector<SocketAddress> addresses);
  // The manners' keepalive is another.
  void KeepaliveChanged();
  // No further RPCs; those that it has go on. OnLeft comes when they have ended.
  void Leave();
  const std::vector<SocketAddress>& addresses() const { return addresses_; }
  SubchannelState state() const { return state_; }
  // Why the last dial failed; empty if none has since it was ready.
  const std::string& error() const { return error_; }
  // A connection that has room for one more stream; null if there is none.
  http2::Connection* WithRoom();

 private:
  void Dial();
  void Lost(const std::string& why, bool failed);
  void Forget();
  void OnReady(UpstreamConnection& connection) override;
  void OnRoom(UpstreamConnection& connection) override;
  void OnGoaway(UpstreamConnection& connection, const http2::Goaway& goaway) override;
  void OnEnd(UpstreamConnection& connection, const std::string& why) override;
  bool IsProved(const UpstreamConnection& connection) const;
  void Retire(std::unique_ptr<UpstreamConnection> connection);

  EventLoop& loop_;
  std::vector<SocketAddress> addresses_;
  const UpstreamManners& manners_;
  SubchannelOwner& owner_;
  SubchannelState state_ = SubchannelState::kConnecting;
  std::string error_;
  Backoff backoff_;
  Instant dialled_at_ = 0;
  int unproved_ = 0;  // connections in a row that ended before they had proved themselves
  std::unique_ptr<UpstreamConnection> current_;  // ready
  std::unique_ptr<UpstreamConnection> next_;     // being dialled
  std::list<std::unique_ptr<UpstreamConnection>> draining_;
  TimerOf<Subchannel, &Subchannel::Dial> dial_timer_;
};

}  // namespace lanekeeper

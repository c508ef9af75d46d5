// One list of addresses that are tried in order, and the connections that came of it: dial, back
// off, keep, renew before one breaks, add one where RPCs wait (gRFC A105). On the loop's thread.
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
  // The peer ended a connection, which had sent so many resets, with an error: servers that count
  // them say ENHANCE_YOUR_CALM (Netty, h2) or INTERNAL_ERROR (nghttp2).
  virtual void OnEndedAfterResets(int64_t resets) = 0;
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

  // For the next dial. It is made at once where there is none of the addresses of before, or where
  // a connection's own address is gone.
  void SetAddresses(std::vector<SocketAddress> addresses);
  // The manners' keepalive is another.
  void KeepaliveChanged();
  // No further RPCs; those that it has go on. OnLeft comes when they have ended.
  void Leave();
  const std::vector<SocketAddress>& addresses() const { return addresses_; }
  // False: its address is gone, and it leaves as soon as others are ready.
  bool listed() const { return listed_; }
  void set_listed(bool listed) { listed_ = listed; }
  SubchannelState state() const { return state_; }
  // Why the last dial failed; empty if none has since it was ready.
  const std::string& error() const { return error_; }
  // The oldest connection that has room for one more stream; null if none has.
  http2::Connection* WithRoom();

  size_t connections() const { return ready_.size(); }
  bool dialling() const { return next_ != nullptr; }
  bool CanGrow() const {
    return state_ == SubchannelState::kReady && next_ == nullptr && !dial_timer_.is_set() &&
           ready_.size() < manners_.connections_max;
  }
  // Dials one more.
  void Grow() { Dial(); }

 private:
  using Connections = std::vector<std::unique_ptr<UpstreamConnection>>;

  Connections::iterator Find(Connections& among, const UpstreamConnection& one);
  bool IsGone(const UpstreamConnection& connection) const;
  bool NeedsDial() const;
  void Dial();
  void OnDialDue();
  void DialFailed(const std::string& peer, const std::string& why);
  void Lost(const std::string& peer, const std::string& why, bool proved);
  void BackOff(const std::string& why);
  void TryLast(const std::string& peer);
  void Forget();
  void DrainWorn();
  void WatchIdle(const UpstreamConnection& connection);
  void CloseIdle();
  void OnReady(UpstreamConnection& connection) override;
  void OnRoom(UpstreamConnection& connection) override;
  void OnWorn(UpstreamConnection& connection) override;
  void OnGoaway(UpstreamConnection& connection, const http2::Goaway& goaway) override;
  void OnEnd(UpstreamConnection& connection, const std::string& why) override;
  bool IsProved(const UpstreamConnection& connection) const;
  void Retire(std::unique_ptr<UpstreamConnection> connection);

  EventLoop& loop_;
  std::vector<SocketAddress> addresses_;  // as they were given
  std::vector<SocketAddress> order_;      // the same, those that were of no use last
  const UpstreamManners& manners_;
  SubchannelOwner& owner_;
  SubchannelState state_ = SubchannelState::kConnecting;
  bool listed_ = true;
  std::string error_;
  Backoff backoff_;
  Instant dialled_at_ = 0;
  Instant pass_began_ = 0;
  size_t useless_ = 0;  // addresses of this pass that connected and then were of no use
  int unproved_ = 0;    // connections in a row that ended before they had proved themselves
  Connections ready_;   // oldest first
  std::unique_ptr<UpstreamConnection> next_;  // being dialled
  Connections draining_;
  TimerOf<Subchannel, &Subchannel::OnDialDue> dial_timer_;
  TimerOf<Subchannel, &Subchannel::CloseIdle> idle_timer_;
};

}  // namespace lanekeeper

// The one channel to the upstream, used by every RPC of every downstream connection at once: the
// target's addresses, their connections, and the queue of RPCs that wait for one. Owns all of them.
// Runs on one worker's loop; connected, state and the counts may be read by any thread. It must be
// destroyed after that loop has stopped.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/config.h"
#include "proxy/base/words.h"
#include "proxy/net/resolver.h"
#include "proxy/rpc/start_request.h"
#include "proxy/upstream/subchannel.h"

namespace lanekeeper {

// As gRPC names them (doc/connectivity-semantics-and-api.md).
enum class ChannelState : uint8_t { kIdle, kConnecting, kReady, kTransientFailure };
template <>
inline constexpr auto kLabels<ChannelState> =
    std::to_array<Named<ChannelState>>({{"idle", ChannelState::kIdle},
                                        {"connecting", ChannelState::kConnecting},
                                        {"ready", ChannelState::kReady},
                                        {"transient_failure", ChannelState::kTransientFailure}});

// What no key of the configuration says; other values are for tests.
struct ChannelTraits {
  std::chrono::nanoseconds dial_timeout = std::chrono::seconds(5);
  std::chrono::nanoseconds idle_after = std::chrono::minutes(5);
  int32_t first_stream_id = 1;
  Resolver::LookUp look_up = &Resolver::LookUpBySystem;
};

class Channel final : public UpstreamChannel, public SubchannelOwner {
 public:
  // Throws std::runtime_error, a line for each thing that is wrong with the TLS files.
  Channel(EventLoop& loop, const UpstreamConfig& config, int64_t waiting_max,
          size_t header_list_bytes_max, const ChannelTraits& traits = {});
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel();

  // On the loop's thread, or before it runs: resolves and connects from here on.
  void Connect();

  // Another configuration, and what it needs of files.
  struct Change {
    UpstreamConfig config;
    bool other_tls = false;
    std::unique_ptr<TlsCredentials> credentials;  // of other_tls; null: plaintext
  };
  // Throws as the constructor does. On the loop's thread, where the change must end.
  Change Prepare(const UpstreamConfig& config) const;
  // For RPCs that have not been started yet: open ones go on where they are, to the end. Keepalive
  // changes everywhere at once. On the loop's thread; the target must parse.
  void Configure(Change change, int64_t waiting_max, size_t header_list_bytes_max);

  void Start(StartRequest& request) override;
  void Withdraw(StartRequest& request) override;

  bool connected() const override { return state() == ChannelState::kReady; }
  ChannelState state() const { return state_.load(std::memory_order_relaxed); }
  // RPCs that wait for a connection or a stream.
  int64_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  int64_t connections() const { return connections_.load(std::memory_order_relaxed); }
  const http2::FrameCounts& frames() const { return frames_; }
  const TlsCounts& tls_counts() const { return tls_counts_; }
  // Visits what the upstream is shown, if it is reached by TLS. Any thread.
  template <class Visit>
  void VisitCredentials(Visit&& visit) const {
    const std::lock_guard lock(credentials_mutex_);
    if (credentials_ != nullptr) visit(*credentials_);
  }

 private:
  std::unique_ptr<TlsCredentials> NewCredentials(const UpstreamConfig& config) const;
  void Use(std::unique_ptr<TlsCredentials> credentials);
  void Retarget();
  void Resolve();
  void OnResolved(Resolver::Answer answer);
  void SetAddresses(std::vector<SocketAddress> addresses);
  void SpreadOver(const std::vector<SocketAddress>& addresses);
  void LeaveUnlisted();
  http2::Connection* Pick();
  void Grow();
  void ServeWaiting();
  void FailWaiting();
  void Update();
  void Log(ChannelState state);
  void OnChange(Subchannel& subchannel) override;
  void OnTrouble(Subchannel& subchannel) override;
  void OnTooManyPings() override;
  void OnEndedAfterResets(int64_t resets) override;
  void OnLeft(Subchannel& subchannel) override;
  void CountConnections(int change) override {
    connections_.fetch_add(change, std::memory_order_relaxed);
  }

  EventLoop& loop_;
  UpstreamConfig config_;
  int64_t waiting_max_;
  http2::FrameCounts frames_;
  TlsCounts tls_counts_;
  mutable std::mutex credentials_mutex_;
  std::unique_ptr<TlsCredentials> credentials_;
  UpstreamManners manners_;
  Resolver resolver_;
  std::string host_;  // empty: the target names addresses
  uint16_t port_ = 0;
  int target_number_ = 0;  // answers for another one are too late
  bool resolving_ = false;
  Instant resolved_at_ = 0;
  std::string error_;
  Backoff resolve_backoff_;
  std::vector<std::unique_ptr<Subchannel>> subchannels_;
  std::vector<std::unique_ptr<Subchannel>> leaving_;  // whose addresses, or target, are gone
  size_t next_pick_ = 0;
  Link queue_;
  bool serving_ = false;
  ChannelState logged_ = ChannelState::kIdle;
  std::atomic<ChannelState> state_{ChannelState::kIdle};
  std::atomic<int64_t> waiting_{0};
  std::atomic<int64_t> connections_{0};
  TimerOf<Channel, &Channel::Resolve> resolve_timer_;
};

}  // namespace lanekeeper

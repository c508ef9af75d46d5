// The one channel to the upstream, used by every RPC of every downstream connection at once: the
// target's addresses, their connections, and the queue of RPCs that wait for one. Owns all of them.
// Runs on one worker's loop; connected, state and the counts may be read by any thread. It must be
// destroyed after that loop has stopped.
#pragma once

#include <atomic>
#include <memory>
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

class Channel final : public UpstreamChannel, public SubchannelOwner {
 public:
  // Throws std::runtime_error, a line for each thing that is wrong with the TLS files.
  Channel(EventLoop& loop, const UpstreamConfig& config, int64_t waiting_max,
          size_t header_list_bytes_max);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel();

  // On the loop's thread, or before it runs: resolves and connects from here on.
  void Connect();

  void Start(StartRequest& request) override;
  void Withdraw(StartRequest& request) override;

  bool connected() const override { return state() == ChannelState::kReady; }
  ChannelState state() const { return state_.load(std::memory_order_relaxed); }
  // RPCs that wait for a connection or a stream.
  int64_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  int64_t connections() const { return connections_.load(std::memory_order_relaxed); }
  const http2::FrameCounts& frames() const { return frames_; }
  const TlsCounts& tls_counts() const { return tls_counts_; }
  // Null: plaintext.
  const TlsCredentials* credentials() const { return credentials_.get(); }

 private:
  void Resolve();
  void OnResolved(Resolver::Answer answer);
  void SetAddresses(std::vector<SocketAddress> addresses);
  http2::Connection* Pick();
  void ServeWaiting();
  void FailWaiting();
  void Update();
  void Log(ChannelState state);
  void OnChange(Subchannel& subchannel) override;
  void OnTrouble(Subchannel& subchannel) override;
  void OnTooManyPings() override;
  void OnLeft(Subchannel& subchannel) override;
  void CountConnections(int change) override {
    connections_.fetch_add(change, std::memory_order_relaxed);
  }

  EventLoop& loop_;
  const UpstreamConfig config_;
  const int64_t waiting_max_;
  http2::FrameCounts frames_;
  TlsCounts tls_counts_;
  const std::unique_ptr<TlsCredentials> credentials_;
  UpstreamManners manners_;
  Resolver resolver_;
  std::string host_;  // empty: the target names addresses
  uint16_t port_ = 0;
  bool resolving_ = false;
  Instant resolved_at_ = 0;
  std::string error_;
  Backoff resolve_backoff_;
  std::vector<std::unique_ptr<Subchannel>> subchannels_;
  std::vector<std::unique_ptr<Subchannel>> leaving_;  // whose addresses are gone
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

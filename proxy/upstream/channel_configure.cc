// Another configuration for a channel that runs.
#include <spdlog/spdlog.h>

#include <stdexcept>
#include <utility>

#include "config/tls_files.h"
#include "proxy/upstream/channel.h"

namespace lanekeeper {

void Channel::Configure(const UpstreamConfig& config, int64_t waiting_max,
                        size_t header_list_bytes_max) {
  const UpstreamConfig before = std::exchange(config_, config);
  waiting_max_ = waiting_max;
  manners_.header_list_bytes_max = header_list_bytes_max;
  manners_.max_age = config.max_age;
  manners_.connections_max = static_cast<size_t>(config.connections);
  const KeepaliveConfig& keepalive = config.keepalive;
  if (keepalive.time != before.keepalive.time || keepalive.timeout != before.keepalive.timeout) {
    manners_.keepalive_time = keepalive.time;
    manners_.keepalive_timeout = keepalive.timeout;
    for (const auto& subchannel : subchannels_) subchannel->KeepaliveChanged();
    for (const auto& subchannel : leaving_) subchannel->KeepaliveChanged();
  }
  const bool other_tls =
      config.tls != before.tls || (config.tls.ca && config.address != before.address);
  if (other_tls) {
    try {
      SetCredentials();
    } catch (const std::runtime_error& error) {
      // The configuration's own checks have seen other files.
      spdlog::error("{}", error.what());
    }
  }
  if (config.address != before.address || config.load_balancing != before.load_balancing ||
      other_tls) {
    return Retarget();
  }
  if (config.resolve_interval != before.resolve_interval && !host_.empty()) Resolve();
  // Without wait_for_ready, those that wait for a lost upstream wait no longer.
  Update();
}

// Throws std::runtime_error where files of TLS cannot be used; what was in use stays then.
void Channel::SetCredentials() {
  std::unique_ptr<TlsCredentials> credentials;
  if (const auto files = FilesOf(config_.tls)) {
    credentials = std::make_unique<TlsCredentials>(loop_, *files, "upstream " + config_.address);
  }
  const std::lock_guard lock(credentials_mutex_);
  manners_.tls = credentials.get();
  credentials_.swap(credentials);
}

// RPCs that are open go on where they are; those that wait, and the next, are for the new target.
void Channel::Retarget() {
  ++target_number_;
  resolving_ = false;
  resolve_timer_.Cancel();
  resolve_backoff_.Reset();
  resolved_at_ = 0;
  host_.clear();
  error_.clear();
  logged_ = ChannelState::kIdle;
  state_.store(ChannelState::kConnecting, std::memory_order_relaxed);
  std::vector<Subchannel*> leave;
  for (auto& subchannel : subchannels_) {
    leave.push_back(subchannel.get());
    leaving_.push_back(std::move(subchannel));
  }
  subchannels_.clear();
  for (Subchannel* subchannel : leave) subchannel->Leave();
  Connect();
}

}  // namespace lanekeeper

// Another configuration for a channel that runs.
#include <utility>

#include "config/tls_files.h"
#include "proxy/upstream/channel.h"

namespace lanekeeper {

Channel::Change Channel::Prepare(const UpstreamConfig& config) const {
  Change change{config};
  change.other_tls =
      config.tls != config_.tls || (config.tls.ca && config.address != config_.address);
  if (change.other_tls) change.credentials = NewCredentials(config);
  return change;
}

void Channel::Configure(Change change, int64_t waiting_max, size_t header_list_bytes_max) {
  const UpstreamConfig before = std::exchange(config_, std::move(change.config));
  waiting_max_ = waiting_max;
  manners_.header_list_bytes_max = header_list_bytes_max;
  manners_.max_age = config_.max_age;
  manners_.connections_max = static_cast<size_t>(config_.connections);
  const KeepaliveConfig& keepalive = config_.keepalive;
  if (keepalive.time != before.keepalive.time || keepalive.timeout != before.keepalive.timeout) {
    manners_.keepalive_time = keepalive.time;
    manners_.keepalive_timeout = keepalive.timeout;
    for (const auto& subchannel : subchannels_) subchannel->KeepaliveChanged();
    for (const auto& subchannel : leaving_) subchannel->KeepaliveChanged();
  }
  if (change.other_tls) Use(std::move(change.credentials));
  if (config_.address != before.address || config_.load_balancing != before.load_balancing ||
      change.other_tls) {
    return Retarget();
  }
  if (config_.resolve_interval != before.resolve_interval && !host_.empty()) Resolve();
  // Without wait_for_ready, those that wait for a lost upstream wait no longer.
  Update();
}

// Null for plaintext.
std::unique_ptr<TlsCredentials> Channel::NewCredentials(const UpstreamConfig& config) const {
  const auto files = FilesOf(config.tls);
  if (!files) return nullptr;
  return std::make_unique<TlsCredentials>(loop_, *files, "upstream " + config.address);
}

void Channel::Use(std::unique_ptr<TlsCredentials> credentials) {
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

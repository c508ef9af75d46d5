#include "proxy/upstream/channel.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "config/target.h"
#include "config/tls_files.h"
#include "proxy/observe/termination.h"

namespace lanekeeper {
namespace {

// A name is asked for again at most so often.
constexpr Instant kResolveInterval = 1'000'000'000;
// As often as servers take them without being told.
constexpr std::chrono::nanoseconds kKeepaliveTimeMax = std::chrono::hours(2);
// A peer that ends a connection after fewer resets than these has another reason.
constexpr int64_t kResetsThatCount = 16;

// Of a name that is complete: certificates have none.
std::string WithoutLastDot(const std::string& host) {
  return host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
}

UpstreamManners MannersOf(const UpstreamConfig& config, const ChannelTraits& traits,
                          size_t header_list_bytes_max, http2::FrameCounts& counts) {
  UpstreamManners manners;
  manners.keepalive_time = config.keepalive.time;
  manners.keepalive_timeout = config.keepalive.timeout;
  manners.dial_timeout = traits.dial_timeout;
  manners.max_age = config.max_age;
  manners.idle_after = traits.idle_after;
  manners.connections_max = static_cast<size_t>(config.connections);
  manners.first_stream_id = traits.first_stream_id;
  manners.header_list_bytes_max = header_list_bytes_max;
  manners.counts = &counts;
  return manners;
}

}  // namespace

Channel::Channel(EventLoop& loop, const UpstreamConfig& config, int64_t waiting_max,
                 size_t header_list_bytes_max, const ChannelTraits& traits)
    : loop_(loop),
      config_(config),
      waiting_max_(waiting_max),
      manners_(MannersOf(config, traits, header_list_bytes_max, frames_)),
      resolver_(loop, traits.look_up),
      resolve_timer_(loop.timers(), *this) {
  manners_.tls_counts = &tls_counts_;
  Use(NewCredentials(config));
}

// Subchannels first: their connections end, and what RPCs are left are told.
Channel::~Channel() {
  subchannels_.clear();
  leaving_.clear();
}

void Channel::Connect() {
  std::string why;
  const auto target = ParseUpstreamTarget(config_.address, &why);
  if (!target) throw std::runtime_error(fmt::format("upstream {}: {}", config_.address, why));
  manners_.server_name = config_.tls.server_name.value_or("");
  std::vector<SocketAddress> addresses;
  for (const ListenAddress& endpoint : target->endpoints) {
    if (endpoint.is_unix()) {
      if (auto address = SocketAddress::Unix(endpoint.unix_path, target->abstract)) {
        addresses.push_back(*address);
      }
    } else if (auto address = SocketAddress::FromIp(endpoint.host, endpoint.port)) {
      addresses.push_back(*address);
    } else {
      host_ = endpoint.host;
      port_ = endpoint.port;
      if (manners_.server_name.empty()) manners_.server_name = WithoutLastDot(host_);
    }
  }
  if (!host_.empty()) return Resolve();
  SetAddresses(std::move(addresses));
}

void Channel::Resolve() {
  if (resolving_) return;
  resolving_ = true;
  if (subchannels_.empty()) state_.store(ChannelState::kConnecting, std::memory_order_relaxed);
  resolver_.Resolve(host_, port_, [this, number = target_number_](Resolver::Answer answer) {
    if (number == target_number_) OnResolved(std::move(answer));
  });
}

// An answer without addresses changes nothing that works.
void Channel::OnResolved(Resolver::Answer answer) {
  resolving_ = false;
  resolved_at_ = loop_.now();
  if (!answer.addresses.empty()) {
    resolve_backoff_.Reset();
    error_.clear();
    if (config_.resolve_interval.count() > 0) {
      resolve_timer_.Set(loop_.now() + std::chrono::nanoseconds(config_.resolve_interval).count());
    }
    return SetAddresses(std::move(answer.addresses));
  }
  error_ = fmt::format("cannot resolve '{}': {}", host_, answer.error);
  resolve_timer_.Set(loop_.now() + resolve_backoff_.Next().count());
  Update();
}

void Channel::SetAddresses(std::vector<SocketAddress> addresses) {
  if (config_.load_balancing == LoadBalancing::kPickFirst) {
    if (subchannels_.empty())
      subchannels_.push_back(
          std::make_unique<Subchannel>(loop_, std::move(addresses), manners_, *this));
    else
      subchannels_.front()->SetAddresses(std::move(addresses));
    return Update();
  }
  SpreadOver(addresses);
  Update();
}

// round_robin: a connection for each address. Those whose address is gone stay until others are
// ready: a name may move to addresses that do not answer.
void Channel::SpreadOver(const std::vector<SocketAddress>& addresses) {
  for (const auto& one : subchannels_) {
    const auto& own = one->addresses().front();
    one->set_listed(std::find(addresses.begin(), addresses.end(), own) != addresses.end());
  }
  for (const SocketAddress& address : addresses) {
    const bool known = std::any_of(
        subchannels_.begin(), subchannels_.end(),
        [&](const auto& subchannel) { return subchannel->addresses().front() == address; });
    if (known) continue;
    subchannels_.push_back(
        std::make_unique<Subchannel>(loop_, std::vector<SocketAddress>{address}, manners_, *this));
  }
}

void Channel::LeaveUnlisted() {
  const auto is_listed = [](const auto& one) { return one->listed(); };
  if (std::all_of(subchannels_.begin(), subchannels_.end(), is_listed)) return;
  const bool served = std::any_of(subchannels_.begin(), subchannels_.end(), [](const auto& one) {
    return one->listed() && one->state() == SubchannelState::kReady;
  });
  const auto gone =
      std::stable_partition(subchannels_.begin(), subchannels_.end(), [&](const auto& one) {
        return one->listed() || (!served && one->state() == SubchannelState::kReady);
      });
  std::vector<Subchannel*> leave;
  for (auto one = gone; one != subchannels_.end(); ++one) {
    leave.push_back(one->get());
    leaving_.push_back(std::move(*one));
  }
  subchannels_.erase(gone, subchannels_.end());
  for (Subchannel* subchannel : leave) subchannel->Leave();
}

http2::Connection* Channel::Pick() {
  for (size_t i = 0; i < subchannels_.size(); ++i) {
    Subchannel& subchannel = *subchannels_[next_pick_++ % subchannels_.size()];
    if (http2::Connection* connection = subchannel.WithRoom()) return connection;
  }
  return nullptr;
}

void Channel::Start(StartRequest& request) {
  if (queue_.alone()) {
    if (http2::Connection* connection = Pick()) return request.OnSlot(*connection);
  }
  if (state() == ChannelState::kTransientFailure && !config_.wait_for_ready) {
    return request.OnStartFailed(
        StatusCode::kUnavailable,
        fmt::format("lanekeeper: upstream {}: {}", config_.address, error_));
  }
  if (waiting() >= waiting_max_) {
    return request.OnStartFailed(CodeFor(RejectReason::kUpstreamWaiting),
                                 MessageFor(RejectReason::kUpstreamWaiting));
  }
  request.Join(queue_);
  waiting_.fetch_add(1, std::memory_order_relaxed);
  Grow();
}

// gRFC A105: one connection more where RPCs wait, none has a free stream and none is being made.
void Channel::Grow() {
  Subchannel* smallest = nullptr;
  for (const auto& one : subchannels_) {
    if (one->state() == SubchannelState::kReady && one->dialling()) return;
    if (!one->CanGrow()) continue;
    if (smallest == nullptr || one->connections() < smallest->connections()) smallest = one.get();
  }
  if (smallest != nullptr) smallest->Grow();
}

void Channel::Withdraw(StartRequest& request) {
  request.Leave();
  waiting_.fetch_sub(1, std::memory_order_relaxed);
}

void Channel::ServeWaiting() {
  if (serving_) return;
  serving_ = true;
  while (!queue_.alone()) {
    http2::Connection* connection = Pick();
    if (connection == nullptr) break;
    auto& request = *static_cast<StartRequest*>(queue_.next);
    Withdraw(request);
    request.OnSlot(*connection);
  }
  serving_ = false;
  if (!queue_.alone()) Grow();
}

void Channel::FailWaiting() {
  Link failing;
  failing.TakeAll(queue_);
  const std::string text = fmt::format("lanekeeper: upstream {}: {}", config_.address, error_);
  while (!failing.alone()) {
    auto& request = *static_cast<StartRequest*>(failing.next);
    Withdraw(request);
    request.OnStartFailed(StatusCode::kUnavailable, text);
  }
}

// The channel's state from those of its subchannels: ready if one is, connecting if one has not
// failed yet (a dial that follows a failed one is still a failure, as in gRPC).
void Channel::Update() {
  LeaveUnlisted();
  ChannelState state = ChannelState::kTransientFailure;
  std::string error;
  for (const auto& subchannel : subchannels_) {
    if (subchannel->state() == SubchannelState::kReady) {
      state = ChannelState::kReady;
      break;
    }
    if (subchannel->error().empty()) state = ChannelState::kConnecting;
    error = "cannot connect: " + subchannel->error();
  }
  if (subchannels_.empty() && resolving_) state = ChannelState::kConnecting;
  if (!subchannels_.empty()) error_ = std::move(error);
  state_.store(state, std::memory_order_relaxed);
  Log(state);
  ServeWaiting();
  if (state == ChannelState::kTransientFailure && !config_.wait_for_ready) FailWaiting();
}

void Channel::Log(ChannelState state) {
  if (state == logged_) return;
  if (state == ChannelState::kReady) {
    spdlog::info("upstream {}: connected", config_.address);
  } else if (state == ChannelState::kTransientFailure) {
    spdlog::warn("upstream {}: {}; RPCs {} until it answers", config_.address, error_,
                 config_.wait_for_ready ? "wait" : "get UNAVAILABLE");
  } else {
    return;
  }
  logged_ = state;
}

// A subchannel that is being made is not in the list yet; SetAddresses looks when it is.
void Channel::OnChange(Subchannel& subchannel) {
  for (const auto& one : subchannels_) {
    if (one.get() == &subchannel) return Update();
  }
}

void Channel::OnTrouble(Subchannel&) {
  if (host_.empty() || resolving_) return;
  resolve_timer_.Set(std::max(loop_.now(), resolved_at_ + kResolveInterval));
}

void Channel::OnLeft(Subchannel& subchannel) {
  const auto left = std::find_if(leaving_.begin(), leaving_.end(),
                                 [&](const auto& one) { return one.get() == &subchannel; });
  loop_.Retire(std::move(*left));
  leaving_.erase(left);
}

// gRFC A8: the peer finds that we ping too often.
void Channel::OnTooManyPings() {
  manners_.keepalive_time = std::min(manners_.keepalive_time * 2, kKeepaliveTimeMax);
  spdlog::warn("upstream {}: too many pings; keepalive.time is {} s from now on", config_.address,
               manners_.keepalive_time / std::chrono::seconds(1));
}

// All clients' cancels share one connection, and some servers end it for them (Netty: 200 in 30 s).
// Once it has happened, connections are replaced at half as many: it must not happen again.
void Channel::OnEndedAfterResets(int64_t resets) {
  if (resets < kResetsThatCount || resets / 2 >= manners_.resets_max) return;
  manners_.resets_max = resets / 2;
  spdlog::warn(
      "upstream {}: it ended a connection after {} RPCs were cancelled there; from now on another "
      "takes over after {}",
      config_.address, resets, manners_.resets_max);
}

}  // namespace lanekeeper

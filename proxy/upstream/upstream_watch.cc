#include "proxy/upstream/upstream_watch.h"

#include <netdb.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "proxy/threads/thread_name.h"

namespace lanekeeper {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(500);
constexpr auto kResolvePatience = std::chrono::seconds(2);

// The host of a target that is resolved by DNS; empty for others.
std::string DnsHost(std::string target) {
  if (target.starts_with("dns:")) {
    target.erase(0, 4);
    if (target.starts_with("//")) target.erase(0, target.find('/', 2) + 1);
  } else if (target.find("://") != std::string::npos || target.starts_with("unix:") ||
             target.starts_with("ipv4:") || target.starts_with("ipv6:")) {
    return "";
  }
  const size_t colon = target.rfind(':');
  std::string host = target.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

// getaddrinfo's result, or nothing when the name servers do not answer in time. It cannot be
// interrupted, so it gets a thread that may outlive us, and shares nothing with it but the answer.
std::optional<int> Resolve(const std::string& host) {
  auto answer = std::make_shared<std::promise<int>>();
  std::future<int> result = answer->get_future();
  std::thread([host, answer] {
    addrinfo* found = nullptr;
    const int error = getaddrinfo(host.c_str(), nullptr, nullptr, &found);
    if (error == 0) freeaddrinfo(found);
    answer->set_value(error);
  }).detach();
  if (result.wait_for(kResolvePatience) != std::future_status::ready) return std::nullopt;
  return result.get();
}

// The channel does not say why it cannot connect; whether the name resolves tells the two cases
// apart.
std::string WhyUnreachable(const std::string& address) {
  const std::string host = DnsHost(address);
  if (host.empty()) return "cannot connect";
  const std::optional<int> error = Resolve(host);
  if (!error) return "cannot resolve '" + host + "': the name server does not answer";
  if (*error != 0) return "cannot resolve '" + host + "': " + gai_strerror(*error);
  return "cannot connect";
}

}  // namespace

const char* ToLabel(grpc_connectivity_state state) {
  switch (state) {
    case GRPC_CHANNEL_IDLE:
      return "idle";
    case GRPC_CHANNEL_CONNECTING:
      return "connecting";
    case GRPC_CHANNEL_READY:
      return "ready";
    case GRPC_CHANNEL_TRANSIENT_FAILURE:
      return "transient_failure";
    case GRPC_CHANNEL_SHUTDOWN:
      return "shutdown";
  }
  return "shutdown";
}

UpstreamWatch::UpstreamWatch(SharedChannel& channel, std::string address)
    : channel_(channel), address_(std::move(address)), thread_([this] { Run(); }) {}

UpstreamWatch::~UpstreamWatch() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void UpstreamWatch::Run() {
  SetThreadName("lk-upstream");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    Look();
    lock.lock();
    wake_.wait_for(lock, kInterval, [this] { return stopping_; });
  }
}

void UpstreamWatch::Look() {
  const int connect =
      1;  // an idle channel connects again, so that the next RPC need not wait for it
  const grpc_connectivity_state state =
      grpc_channel_check_connectivity_state(channel_.get(), connect);
  state_.store(state, std::memory_order_relaxed);
  if (state == logged_) return;
  if (state == GRPC_CHANNEL_READY) {
    spdlog::info("upstream {}: connected", address_);
  } else if (state == GRPC_CHANNEL_TRANSIENT_FAILURE) {
    spdlog::warn("upstream {}: {}; RPCs get UNAVAILABLE until it answers", address_,
                 WhyUnreachable(address_));
  } else {
    return;
  }
  logged_ = state;
}

}  // namespace lanekeeper

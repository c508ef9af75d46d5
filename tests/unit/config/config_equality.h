// Compares configurations field by field. The bindings name every field, so that a new one does not
// compile until it is compared too. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <tuple>
#include <vector>

#include "config/config.h"

namespace lanekeeper {

inline auto Fields(const KeepaliveConfig& keepalive) {
  const auto& [time, timeout] = keepalive;
  return std::make_tuple(time, timeout);
}

inline auto Fields(const UpstreamConfig& upstream) {
  const auto& [address, load_balancing, authority, wait_for_ready, keepalive] = upstream;
  return std::make_tuple(address, load_balancing, authority, wait_for_ready, Fields(keepalive));
}

inline auto Fields(const RpcThreadsConfig& rpc_threads) {
  const auto& [kind, workers] = rpc_threads;
  return std::make_tuple(kind, workers);
}

inline auto Fields(const LimitsConfig& limits) {
  const auto& [open_rpcs, upstream_waiting, message_size_bytes, metadata_size_bytes,
               response_metadata_size_bytes] = limits;
  return std::make_tuple(open_rpcs, upstream_waiting, message_size_bytes, metadata_size_bytes,
                         response_metadata_size_bytes);
}

inline auto Fields(const StuckConfig& stuck) {
  const auto& [after, silent_after, action] = stuck;
  return std::make_tuple(after, silent_after, action);
}

inline auto Fields(const DrainConfig& drain) {
  const auto& [timeout] = drain;
  return std::make_tuple(timeout);
}

inline auto Fields(const ReloadConfig& reload) {
  const auto& [watch] = reload;
  return std::make_tuple(watch);
}

inline auto Fields(const MetricsConfig& metrics) {
  const auto& [address, max_methods] = metrics;
  return std::make_tuple(address, max_methods);
}

inline auto Fields(const AdminConfig& admin) {
  const auto& [address, allow_remote, read_only] = admin;
  return std::make_tuple(address, allow_remote, read_only);
}

inline auto Fields(const LogConfig& log) {
  const auto& [level, format, access] = log;
  return std::make_tuple(level, format, access);
}

inline auto Fields(const std::vector<ListenConfig>& listen) {
  std::vector<std::string> addresses;
  for (const auto& [address] : listen) addresses.push_back(address);
  return addresses;
}

inline bool SameConfig(const Config& a, const Config& b) {
  const auto fields = [](const Config& config) {
    const auto& [listen, upstream, rpc_threads, limits, stuck, drain, reload, metrics, admin, log] =
        config;
    return std::make_tuple(Fields(listen), Fields(upstream), Fields(rpc_threads), Fields(limits),
                           Fields(stuck), Fields(drain), Fields(reload), Fields(metrics),
                           Fields(admin), Fields(log));
  };
  return fields(a) == fields(b);
}

}  // namespace lanekeeper

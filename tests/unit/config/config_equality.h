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

inline auto Fields(const UpstreamTlsConfig& tls) {
  const auto& [ca, certificate, key, server_name] = tls;
  return std::make_tuple(ca, certificate, key, server_name);
}

inline auto Fields(const UpstreamConfig& upstream) {
  const auto& [address, load_balancing, authority, wait_for_ready, keepalive, resolve_interval,
               max_age, connections, tls] = upstream;
  return std::make_tuple(address, load_balancing, authority, wait_for_ready, Fields(keepalive),
                         resolve_interval, max_age, connections, Fields(tls));
}

inline auto Fields(const RpcThreadsConfig& rpc_threads) {
  const auto& [kind, workers] = rpc_threads;
  return std::make_tuple(kind, workers);
}

inline auto Fields(const std::vector<MethodLimitConfig>& methods) {
  std::vector<std::tuple<std::string, int64_t>> entries;
  for (const auto& [match, open_rpcs] : methods) entries.emplace_back(match, open_rpcs);
  return entries;
}

inline auto Fields(const QueueConfig& queue) {
  const auto& [length, timeout] = queue;
  return std::make_tuple(length, timeout);
}

inline auto Fields(const LimitsConfig& limits) {
  const auto& [connections, open_rpcs, queue, streams_per_connection, methods, upstream_waiting,
               buffered_bytes, message_size_bytes, metadata_size_bytes,
               response_metadata_size_bytes] = limits;
  return std::make_tuple(connections, open_rpcs, Fields(queue), streams_per_connection,
                         Fields(methods), upstream_waiting, buffered_bytes, message_size_bytes,
                         metadata_size_bytes, response_metadata_size_bytes);
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

inline auto Fields(const ListenConfig& listen) {
  const auto& [address, mode, tls] = listen;
  const auto& [certificate, key, client_ca, client_names] = tls;
  return std::make_tuple(address, mode, certificate, key, client_ca, client_names);
}

inline auto Fields(const std::vector<ListenConfig>& listen) {
  std::vector<decltype(Fields(listen[0]))> entries;
  for (const ListenConfig& entry : listen) entries.push_back(Fields(entry));
  return entries;
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

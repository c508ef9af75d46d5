#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"
#include "config/names.h"
#include "config/units.h"
#include "proxy/base/text.h"

namespace lanekeeper {
namespace {

// A double-quoted YAML scalar that loads back to the text: quoted, text never turns into null, a
// comment or a variable.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : Escaped(text, {.beyond_ascii = EscapeRule::BeyondAscii::kStays,
                                    .backslashes = true,
                                    .quotes = true})) {
    quoted += c;
    if (c == '$') quoted += '$';
  }
  return quoted + "\"";
}

// The value as print writes it, or the word for no value.
template <class T, class Print>
std::string OrWord(const std::optional<T>& value, std::string_view word, Print print) {
  return value ? print(*value) : std::string(word);
}

std::string Listen(const ListenConfig& listen) {
  const auto names = [](const std::vector<std::string>& texts) {
    std::string list;
    for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + Quoted(text);
    return list.empty() ? std::string(kAny) : "[" + list + "]";
  };
  return fmt::format(
      "  - address: {}\n"
      "    mode: {}\n"
      "    tls:\n"
      "      certificate: {}\n"
      "      key: {}\n"
      "      client_ca: {}\n"
      "      client_names: {}\n",
      Quoted(listen.address),
      OrWord(listen.mode, kAuto, [](int mode) { return fmt::format("{:04o}", mode); }),
      OrWord(listen.tls.certificate, kOff, Quoted), OrWord(listen.tls.key, kOff, Quoted),
      OrWord(listen.tls.client_ca, kOff, Quoted), names(listen.tls.client_names));
}

std::string UpstreamTls(const UpstreamTlsConfig& tls) {
  return fmt::format(
      "  tls:\n"
      "    ca: {}\n"
      "    certificate: {}\n"
      "    key: {}\n"
      "    server_name: {}\n",
      OrWord(tls.ca, kOff, Quoted), OrWord(tls.certificate, kOff, Quoted),
      OrWord(tls.key, kOff, Quoted), OrWord(tls.server_name, kAuto, Quoted));
}

std::string Upstream(const UpstreamConfig& upstream) {
  return fmt::format(
             "upstream:\n"
             "  address: {}\n"
             "  load_balancing: {}\n"
             "  authority: {}\n"
             "  wait_for_ready: {}\n"
             "  keepalive:\n"
             "    time: {}\n"
             "    timeout: {}\n"
             "  resolve_interval: {}\n"
             "  max_age: {}\n"
             "  connections: {}\n",
             Quoted(upstream.address), NameOf(kLoadBalancings, upstream.load_balancing),
             OrWord(upstream.authority, kPreserve, Quoted),
             NameOf(kBooleans, upstream.wait_for_ready), FormatDuration(upstream.keepalive.time),
             FormatDuration(upstream.keepalive.timeout), FormatDuration(upstream.resolve_interval),
             FormatDuration(upstream.max_age), upstream.connections) +
         UpstreamTls(upstream.tls);
}

std::string RpcThreads(const RpcThreadsConfig& rpc_threads) {
  return fmt::format(
      "rpc_threads:\n"
      "  kind: {}\n"
      "  workers: {}\n",
      NameOf(kRpcThreadKinds, rpc_threads.kind),
      OrWord(rpc_threads.workers, kAuto, [](int workers) { return fmt::to_string(workers); }));
}

std::string MethodLimits(const std::vector<MethodLimitConfig>& methods) {
  if (methods.empty()) return " []";
  std::string yaml;
  for (const MethodLimitConfig& entry : methods) {
    yaml +=
        fmt::format("\n    - match: {}\n      open_rpcs: {}", Quoted(entry.match), entry.open_rpcs);
  }
  return yaml;
}

std::string Limits(const LimitsConfig& limits) {
  return fmt::format(
      "limits:\n"
      "  connections: {}\n"
      "  open_rpcs: {}\n"
      "  queue:\n"
      "    length: {}\n"
      "    timeout: {}\n"
      "  streams_per_connection: {}\n"
      "  methods:{}\n"
      "  upstream_waiting: {}\n"
      "  buffered_bytes: {}\n"
      "  message_size: {}\n"
      "  metadata_size: {}\n"
      "  response_metadata_size: {}\n",
      limits.connections, limits.open_rpcs, limits.queue.length,
      FormatDuration(limits.queue.timeout),
      OrWord(limits.streams_per_connection, kUnlimited,
             [](int64_t n) { return fmt::to_string(n); }),
      MethodLimits(limits.methods), limits.upstream_waiting, FormatSize(limits.buffered_bytes),
      OrWord(limits.message_size_bytes, kUnlimited, FormatSize),
      FormatSize(limits.metadata_size_bytes),
      OrWord(limits.response_metadata_size_bytes, kSame, FormatSize));
}

std::string Stuck(const StuckConfig& stuck) {
  return fmt::format(
      "stuck:\n"
      "  after: {}\n"
      "  silent_after: {}\n"
      "  action: {}\n",
      FormatDuration(stuck.after), OrWord(stuck.silent_after, kSame, FormatDuration),
      NameOf(kStuckActions, stuck.action));
}

std::string Metrics(const MetricsConfig& metrics) {
  return fmt::format(
      "metrics:\n"
      "  address: {}\n"
      "  max_methods: {}\n",
      OrWord(metrics.address, kOff, Quoted), metrics.max_methods);
}

std::string Admin(const AdminConfig& admin) {
  return fmt::format(
      "admin:\n"
      "  address: {}\n"
      "  allow_remote: {}\n"
      "  read_only: {}\n",
      OrWord(admin.address, kOff, Quoted), NameOf(kBooleans, admin.allow_remote),
      NameOf(kBooleans, admin.read_only));
}

std::string Log(const LogConfig& log) {
  return fmt::format(
      "log:\n"
      "  level: {}\n"
      "  format: {}\n"
      "  access: {}\n",
      NameOf(kLogLevels, log.level), NameOf(kLogFormats, log.format),
      NameOf(kLogAccesses, log.access));
}

}  // namespace

std::string PrintConfig(const Config& config) {
  std::string yaml = "listen:\n";
  for (const ListenConfig& listen : config.listen) yaml += Listen(listen);
  yaml += Upstream(config.upstream);
  yaml += RpcThreads(config.rpc_threads);
  yaml += Limits(config.limits);
  yaml += Stuck(config.stuck);
  yaml += fmt::format("drain:\n  timeout: {}\n", FormatDuration(config.drain.timeout));
  yaml += fmt::format("reload:\n  watch: {}\n", NameOf(kBooleans, config.reload.watch));
  yaml += Metrics(config.metrics);
  yaml += Admin(config.admin);
  yaml += Log(config.log);
  return yaml;
}

}  // namespace lanekeeper

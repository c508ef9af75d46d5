#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

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

std::string Upstream(const UpstreamConfig& upstream) {
  return fmt::format(
      "upstream:\n"
      "  address: {}\n"
      "  load_balancing: {}\n"
      "  authority: {}\n"
      "  wait_for_ready: {}\n"
      "  keepalive:\n"
      "    time: {}\n"
      "    timeout: {}\n",
      Quoted(upstream.address), NameOf(kLoadBalancings, upstream.load_balancing),
      OrWord(upstream.authority, kPreserve, Quoted), NameOf(kBooleans, upstream.wait_for_ready),
      FormatDuration(upstream.keepalive.time), FormatDuration(upstream.keepalive.timeout));
}

std::string RpcThreads(const RpcThreadsConfig& rpc_threads) {
  return fmt::format(
      "rpc_threads:\n"
      "  kind: {}\n"
      "  workers: {}\n",
      NameOf(kRpcThreadKinds, rpc_threads.kind),
      OrWord(rpc_threads.workers, kAuto, [](int workers) { return fmt::to_string(workers); }));
}

std::string Limits(const LimitsConfig& limits) {
  return fmt::format(
      "limits:\n"
      "  open_rpcs: {}\n"
      "  upstream_waiting: {}\n"
      "  message_size: {}\n"
      "  metadata_size: {}\n"
      "  response_metadata_size: {}\n",
      limits.open_rpcs, limits.upstream_waiting,
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
  for (const ListenConfig& listen : config.listen) {
    yaml += fmt::format("  - address: {}\n", Quoted(listen.address));
  }
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

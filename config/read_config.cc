#include "config/read_config.h"

#include <algorithm>
#include <limits>
#include <string>

#include "config/address.h"
#include "config/target.h"
#include "config/value_parsers.h"

namespace lanekeeper {
namespace {

// Milliseconds of a week still fit the int that gRPC's channel arguments are.
constexpr std::chrono::hours kLongestDuration(7 * 24);
// gRPC counts the bytes of a message in an int.
constexpr int64_t kLargestMessage = std::numeric_limits<int32_t>::max();
constexpr int64_t kKiB = 1024;
constexpr int64_t kMostRpcs = 1'000'000;

// Addresses stay text in the Config, for gRPC takes text; parsing them here only checks them.
std::optional<std::string> ListenText(std::string_view text, std::string* why) {
  if (!ParseListenAddress(text, why)) return std::nullopt;
  return std::string(text);
}

std::optional<std::string> TcpListenText(std::string_view text, std::string* why) {
  const std::optional<ListenAddress> address = ParseListenAddress(text, why);
  if (!address) return std::nullopt;
  if (address->is_unix()) {
    *why = "expected HOST:PORT, found " + Quote(text);
    return std::nullopt;
  }
  return std::string(text);
}

std::optional<std::string> TargetText(std::string_view text, std::string* why) {
  if (!ParseUpstreamTarget(text, why)) return std::nullopt;
  return std::string(text);
}

// The characters of RFC 3986 section 3.2 without '@': RFC 9113 section 8.3.1 bars userinfo.
std::optional<std::string> AuthorityText(std::string_view text, std::string* why) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._~!$&'()*+,;=:[]%").find(c) != std::string_view::npos;
  };
  if (text.empty() || !std::all_of(text.begin(), text.end(), allowed)) {
    *why = "expected an authority such as orders.example:443, found " + Quote(text);
    return std::nullopt;
  }
  return std::string(text);
}

// "/package.Service/Method", "/package.Service/*" or "*".
std::optional<std::string> MethodMatchText(std::string_view text, std::string* why) {
  const size_t slash = text.find('/', 1);
  const std::string_view last = slash == text.npos ? "" : text.substr(slash + 1);
  const bool path = text.starts_with('/') && slash > 1 && !last.empty() &&
                    last.find('/') == last.npos && text.substr(0, slash).find('*') == text.npos;
  if (text != "*" && (!path || (last != "*" && last.find('*') != last.npos))) {
    *why = "expected /package.Service/Method, /package.Service/* or *, found " + Quote(text);
    return std::nullopt;
  }
  return std::string(text);
}

std::optional<std::string> FileText(std::string_view text, std::string* why) {
  if (text.empty()) {
    *why = "expected a path, found ''";
    return std::nullopt;
  }
  return std::string(text);
}

// A name that a certificate may have: for DNS, a URI or an IP address. No spaces, so that several
// in one text are seen.
std::optional<std::string> NameText(std::string_view text, std::string* why) {
  const auto plain = [](char c) { return c > ' ' && c < 0x7f; };
  if (text.empty() || !std::all_of(text.begin(), text.end(), plain)) {
    *why = "expected a DNS name, a URI or an IP address, found " + Quote(text);
    return std::nullopt;
  }
  return std::string(text);
}

// Octal, as chmod takes it.
std::optional<int> ModeText(std::string_view text, std::string* why) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  const bool sound = (text.size() == 3 || (text.size() == 4 && text[0] == '0')) &&
                     std::all_of(text.begin(), text.end(), octal);
  if (!sound) {
    *why = "expected a mode such as 0660, found " + Quote(text);
    return std::nullopt;
  }
  return std::stoi(std::string(text), nullptr, 8);
}

void ReadListenTls(FieldReader& map, ListenTlsConfig* tls) {
  if (map.given()) {
    map.Require("certificate");
    map.Require("key");
  }
  map.Value("certificate", OrWord(kOff, FileText), &tls->certificate);
  map.Value("key", OrWord(kOff, FileText), &tls->key);
  map.Value("client_ca", OrWord(kOff, FileText), &tls->client_ca);
  map.ListOrWord("client_names", kAny, NameText, &tls->client_names);
}

void ReadUpstreamTls(FieldReader& map, UpstreamTlsConfig* tls) {
  // Whoever writes `tls: {}` does not mean plaintext.
  if (map.given()) map.Require("ca");
  map.Value("ca", OrWord(kOff, FileText), &tls->ca);
  map.Value("certificate", OrWord(kOff, FileText), &tls->certificate);
  map.Value("key", OrWord(kOff, FileText), &tls->key);
  map.Value("server_name", OrWord(kAuto, NameText), &tls->server_name);
}

void ReadListen(FieldReader& root, std::vector<ListenConfig>* listen) {
  root.Require("listen");
  root.MapList("listen", FieldReader::ListMay::kNotBeEmpty, [listen](FieldReader& map) {
    // Added even where the address is wrong: rules across fields go by index.
    ListenConfig& entry = listen->emplace_back();
    map.Require("address");
    map.Value("address", ListenText, &entry.address);
    map.Value("mode", OrWord(kAuto, ModeText), &entry.mode);
    map.Map("tls", [&](FieldReader& inner) { ReadListenTls(inner, &entry.tls); });
  });
}

void ReadKeepalive(FieldReader& map, KeepaliveConfig* keepalive) {
  map.Value("time", DurationUpTo(kLongestDuration), &keepalive->time);
  map.Value("timeout", DurationUpTo(kLongestDuration), &keepalive->timeout);
}

void ReadUpstream(FieldReader& map, UpstreamConfig* upstream) {
  map.Require("address");
  map.Value("address", TargetText, &upstream->address);
  map.Value("load_balancing", OneOf(kLoadBalancings), &upstream->load_balancing);
  map.Value("authority", OrWord(kPreserve, AuthorityText), &upstream->authority);
  map.Value("wait_for_ready", OneOf(kBooleans), &upstream->wait_for_ready);
  map.Map("keepalive", [&](FieldReader& inner) { ReadKeepalive(inner, &upstream->keepalive); });
  map.Value("resolve_interval", DurationUpTo(kLongestDuration), &upstream->resolve_interval);
  map.Value("max_age", DurationUpTo(kLongestDuration), &upstream->max_age);
  map.Value("connections", NumberBetween(1, 100), &upstream->connections);
  map.Map("tls", [&](FieldReader& inner) { ReadUpstreamTls(inner, &upstream->tls); });
}

void ReadRpcThreads(FieldReader& map, RpcThreadsConfig* rpc_threads) {
  map.Value("kind", OneOf(kRpcThreadKinds), &rpc_threads->kind);
  map.Value("workers", OrWord(kAuto, NumberBetween(1, 256)), &rpc_threads->workers);
}

void ReadMethodLimits(FieldReader& map, std::vector<MethodLimitConfig>* methods) {
  map.MapList("methods", FieldReader::ListMay::kBeEmpty, [methods](FieldReader& inner) {
    // Added even where it is wrong: rules across fields go by index.
    MethodLimitConfig& entry = methods->emplace_back();
    inner.Require("match");
    inner.Value("match", MethodMatchText, &entry.match);
    inner.Require("open_rpcs");
    inner.Value("open_rpcs", NumberBetween(1, kMostRpcs), &entry.open_rpcs);
  });
}

void ReadQueue(FieldReader& map, QueueConfig* queue) {
  map.Value("length", NumberBetween(0, kMostRpcs), &queue->length);
  map.Value("timeout", DurationUpTo(kLongestDuration), &queue->timeout);
}

void ReadLimits(FieldReader& map, LimitsConfig* limits) {
  map.Value("connections", NumberBetween(1, 1'000'000), &limits->connections);
  map.Value("open_rpcs", NumberBetween(1, kMostRpcs), &limits->open_rpcs);
  map.Map("queue", [&](FieldReader& inner) { ReadQueue(inner, &limits->queue); });
  map.Value("streams_per_connection", OrWord(kUnlimited, NumberBetween(1, kMostRpcs)),
            &limits->streams_per_connection);
  ReadMethodLimits(map, &limits->methods);
  map.Value("upstream_waiting", NumberBetween(1, kMostRpcs), &limits->upstream_waiting);
  map.Value("buffered_bytes", SizeBetween(1024 * kKiB, 64 * 1024 * 1024 * kKiB),
            &limits->buffered_bytes);
  map.Value("message_size", OrWord(kUnlimited, SizeBetween(1, kLargestMessage)),
            &limits->message_size_bytes);
  map.Value("metadata_size", SizeBetween(1 * kKiB, 1024 * kKiB), &limits->metadata_size_bytes);
  map.Value("response_metadata_size", OrWord(kSame, SizeBetween(1 * kKiB, 4096 * kKiB)),
            &limits->response_metadata_size_bytes);
}

void ReadStuck(FieldReader& map, StuckConfig* stuck) {
  map.Value("after", DurationUpTo(kLongestDuration), &stuck->after);
  map.Value("silent_after", OrWord(kSame, DurationUpTo(kLongestDuration)), &stuck->silent_after);
  map.Value("action", OneOf(kStuckActions), &stuck->action);
}

void ReadDrain(FieldReader& map, DrainConfig* drain) {
  map.Value("timeout", DurationUpTo(kLongestDuration), &drain->timeout);
}

void ReadReload(FieldReader& map, ReloadConfig* reload) {
  map.Value("watch", OneOf(kBooleans), &reload->watch);
}

void ReadMetrics(FieldReader& map, MetricsConfig* metrics) {
  map.Value("address", OrWord(kOff, TcpListenText), &metrics->address);
  map.Value("max_methods", NumberBetween(1, 10'000), &metrics->max_methods);
}

void ReadAdmin(FieldReader& map, AdminConfig* admin) {
  map.Value("address", OrWord(kOff, ListenText), &admin->address);
  map.Value("allow_remote", OneOf(kBooleans), &admin->allow_remote);
  map.Value("read_only", OneOf(kBooleans), &admin->read_only);
}

void ReadLog(FieldReader& map, LogConfig* log) {
  map.Value("level", OneOf(kLogLevels), &log->level);
  map.Value("format", OneOf(kLogFormats), &log->format);
  map.Value("access", OneOf(kLogAccesses), &log->access);
}

}  // namespace

Config ReadConfig(FieldReader& root) {
  Config config;
  ReadListen(root, &config.listen);
  root.Map("upstream", [&](FieldReader& map) { ReadUpstream(map, &config.upstream); });
  root.Map("rpc_threads", [&](FieldReader& map) { ReadRpcThreads(map, &config.rpc_threads); });
  root.Map("limits", [&](FieldReader& map) { ReadLimits(map, &config.limits); });
  root.Map("stuck", [&](FieldReader& map) { ReadStuck(map, &config.stuck); });
  root.Map("drain", [&](FieldReader& map) { ReadDrain(map, &config.drain); });
  root.Map("reload", [&](FieldReader& map) { ReadReload(map, &config.reload); });
  root.Map("metrics", [&](FieldReader& map) { ReadMetrics(map, &config.metrics); });
  root.Map("admin", [&](FieldReader& map) { ReadAdmin(map, &config.admin); });
  root.Map("log", [&](FieldReader& map) { ReadLog(map, &config.log); });
  return config;
}

}  // namespace lanekeeper

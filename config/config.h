// The configuration as plain values: every field with its default and what it means.
// Owns only values; free to copy; any thread. Loading, checking and printing live beside this file.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lanekeeper {

enum class RpcThreadKind { kUser, kKernel };
enum class LoadBalancing { kPickFirst, kRoundRobin };
enum class LogLevel { kTrace, kDebug, kInfo, kWarn, kError };
enum class LogAccess { kOff, kErrors, kAll };
enum class StuckAction { kReport, kCancel };
enum class LogFormat { kText, kJson };

// Files are in PEM form.
struct ListenTlsConfig {
  // The server's certificate, then those that lead to an authority, and its key. Both empty
  // (written "off"): plaintext.
  std::optional<std::string> certificate;
  std::optional<std::string> key;
  // Authorities: clients must show a certificate that leads to one; empty (written "off"): none.
  std::optional<std::string> client_ca;
  // And one that has one of these subject alternative names; empty (written "any"): any.
  std::vector<std::string> client_names;

  bool operator==(const ListenTlsConfig&) const = default;
};

struct ListenConfig {
  // "HOST:PORT" ("127.0.0.1:50051", "[::1]:50051", port 0 picks one) or "unix:///absolute/path".
  std::string address;
  // Of a unix socket's file; empty (written "auto"): 0666, its directory decides.
  std::optional<int> mode;
  ListenTlsConfig tls;
};

struct KeepaliveConfig {
  // How long the upstream connection may be silent before we ping it. 0: never ping.
  // Servers refuse pings more often than every 5 minutes unless told otherwise
  // (gRPC doc/keepalive.md).
  std::chrono::milliseconds time{0};
  // How long a ping may stay unanswered before the connection counts as lost.
  std::chrono::milliseconds timeout{std::chrono::seconds(20)};
};

struct UpstreamTlsConfig {
  // Authorities that the upstream's certificate must lead to: a PEM file, or "system" for those
  // that the machine trusts; empty (written "off"): plaintext.
  std::optional<std::string> ca;
  // What we show the upstream; both empty (written "off"): nothing.
  std::optional<std::string> certificate;
  std::optional<std::string> key;
  // The name that the upstream's certificate must have; empty (written "auto"): the target's.
  std::optional<std::string> server_name;

  bool operator==(const UpstreamTlsConfig&) const = default;
};

struct UpstreamConfig {
  // A gRPC target: "HOST:PORT", "dns:///HOST:PORT", "ipv4:...", "ipv6:...", "unix:///path".
  std::string address;
  // pick_first: one connection. round_robin: one per resolved address, for headless services.
  LoadBalancing load_balancing = LoadBalancing::kPickFirst;
  // The :authority sent upstream; empty (written "preserve") sends what the downstream sent.
  std::optional<std::string> authority;
  // Whether an RPC waits for an upstream that is not connected rather than fail with UNAVAILABLE.
  bool wait_for_ready = false;
  KeepaliveConfig keepalive;
  // How often the name is looked up anew, beyond every loss of a connection. 0: only on loss.
  std::chrono::milliseconds resolve_interval{0};
  // How old a connection may become, 10 % more or less, before another takes the next RPCs; its own
  // go on. 0: for ever.
  std::chrono::milliseconds max_age{0};
  // Connections to one address at most; another only while RPCs wait because none has a stream left
  // (gRFC A105).
  int connections = 1;
  UpstreamTlsConfig tls;
};

struct RpcThreadsConfig {
  // user: coroutines on a few workers. kernel: one OS thread per RPC, which take turns.
  RpcThreadKind kind = RpcThreadKind::kUser;
  // Workers of kind user; empty (written "auto"): one, and more when it is busy and CPUs are idle,
  // up to the cgroup's CPU quota.
  std::optional<int> workers;
};

// A bound on the RPCs of some methods.
struct MethodLimitConfig {
  // "/package.Service/Method", "/package.Service/*" or "*".
  std::string match;
  // RPCs open at once whose method matches, all of them together.
  int64_t open_rpcs = 0;
};

struct QueueConfig {
  // RPCs that may wait at once for one of those that are open to end; 0: none.
  int64_t length = 0;
  // How long each may wait; then it is refused with RESOURCE_EXHAUSTED. 0: until its deadline.
  std::chrono::milliseconds timeout{0};
};

struct LimitsConfig {
  // Downstream connections at once over all listeners; one more is closed as soon as it is
  // accepted.
  int64_t connections = 10000;
  // RPCs open at once over all listeners; one more waits in the queue, if there is one, or is
  // refused with RESOURCE_EXHAUSTED.
  int64_t open_rpcs = 10000;
  QueueConfig queue;
  // RPCs open at once on one downstream connection; one more is refused with RESOURCE_EXHAUSTED.
  // Empty (written "unlimited") sets no limit. Not announced as MAX_CONCURRENT_STREAMS: clients
  // would queue in silence.
  std::optional<int64_t> streams_per_connection;
  // The same by method: of the entries that match an RPC the first counts.
  std::vector<MethodLimitConfig> methods;
  // RPCs that wait for the upstream to take them at once: for a stream (its
  // MAX_CONCURRENT_STREAMS) or for a connection; one more is refused with RESOURCE_EXHAUSTED.
  int64_t upstream_waiting = 10000;
  // Bytes that may be held at once of everything that was received and cannot leave yet. Near it
  // windows stop to grow, then streams that hold much get no credit, then new RPCs are refused with
  // RESOURCE_EXHAUSTED.
  int64_t buffered_bytes = 256 * 1024 * 1024;
  // Largest message in bytes, either direction; empty (written "unlimited") sets no limit.
  std::optional<int64_t> message_size_bytes;
  // Largest metadata of one request in bytes, counted as HTTP/2 does: key + value + 32 an entry
  // (RFC 9113 section 6.5.2). Upstreams close the connection that all RPCs share when they get more
  // than they take, so it must not be above what the upstream takes.
  int64_t metadata_size_bytes = 16 * 1024;
  // The same for each of response headers and trailers, which can hurt only the downstream that
  // they are for; empty (written "same") for as much as requests.
  std::optional<int64_t> response_metadata_size_bytes;
};

struct StuckConfig {
  // How long a message, or the start of an RPC, may wait to be taken before its stream counts as
  // stuck; 0 is off.
  std::chrono::milliseconds after{std::chrono::seconds(30)};
  // How long the upstream may stay silent after the end of the requests before the stream counts as
  // stuck; 0 is off, empty (written "same") is as long as `after`.
  std::optional<std::chrono::milliseconds> silent_after;
  // report: metric, log line and event. cancel: also ends streams whose messages are not taken, or
  // that the upstream does not let start; never those that are only silent.
  StuckAction action = StuckAction::kReport;
};

struct DrainConfig {
  // How long open RPCs may go on after SIGTERM before they end with UNAVAILABLE.
  std::chrono::milliseconds timeout{std::chrono::seconds(25)};
};

struct ReloadConfig {
  // Whether the configuration is read again when its file changes, not only on SIGHUP.
  bool watch = true;
};

struct MetricsConfig {
  // Where /metrics, /livez and /readyz are served; empty (written "off") serves none.
  std::optional<std::string> address = "0.0.0.0:9464";
  // Distinct methods that get labels of their own; later ones count as "other".
  int max_methods = 200;
};

struct AdminConfig {
  // Where the live page and the admin API are served; empty (written "off") serves none.
  std::optional<std::string> address = "127.0.0.1:9465";
  // Whether the address may be one that other machines can reach. Whoever reaches it can cancel
  // streams and end the process.
  bool allow_remote = false;
  // Whether nothing can be changed there: no stream cancelled, no drain, no log level, no reload.
  bool read_only = false;
};

struct LogConfig {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
  // One line for each RPC that ended: for none, for those whose status is not OK, or for all.
  LogAccess access = LogAccess::kErrors;
};

struct Config {
  std::vector<ListenConfig> listen;
  UpstreamConfig upstream;
  RpcThreadsConfig rpc_threads;
  LimitsConfig limits;
  StuckConfig stuck;
  DrainConfig drain;
  ReloadConfig reload;
  MetricsConfig metrics;
  AdminConfig admin;
  LogConfig log;
};

}  // namespace lanekeeper

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "config/names.h"
#include "proxy/app.h"
#include "proxy/log/log_setup.h"

namespace lanekeeper {
namespace {

using prometheus::MetricType;
using Samples = std::vector<Metrics::Sample>;

// One for each value of an enum.
template <class Enum, class Read>
Samples ByEnum(const char* label, Read read) {
  Samples samples;
  for (const auto& [name, value] : kLabels<Enum>) {
    samples.push_back({{{label, std::string(name)}}, static_cast<double>(read(value))});
  }
  return samples;
}

Samples Threads(RpcThreadKind kind, const RpcRegistry& registry, const Worker& worker) {
  const std::string name(NameOf(kRpcThreadKinds, kind));
  // Those that wait to be let in have none.
  const int64_t busy = std::max<int64_t>(registry.open() - registry.admission().waiting(), 0);
  return {
      {{{"kind", name}, {"state", "busy"}}, static_cast<double>(busy)},
      {{{"kind", name}, {"state", "idle"}}, static_cast<double>(worker.executor().idle_threads())}};
}

// The stalls that there can be: who is slow may be on either side, all else is the upstream's.
struct StallCase {
  Direction direction;
  StallKind kind;
};
constexpr std::array<StallCase, 7> kStallCases = {
    {{Direction::kToUpstream, StallKind::kSlowReceiver},
     {Direction::kToUpstream, StallKind::kStreamSlots},
     {Direction::kToUpstream, StallKind::kNotConnected},
     {Direction::kToUpstream, StallKind::kUpstreamWindow},
     {Direction::kToDownstream, StallKind::kSlowReceiver},
     {Direction::kToDownstream, StallKind::kSilentSender},
     {Direction::kToDownstream, StallKind::kHalfClosed}}};

template <class Read>
Samples EachStall(Read read) {
  Samples samples;
  for (const StallCase& stall : kStallCases) {
    samples.push_back({{{"direction", ToLabel(stall.direction)}, {"kind", ToLabel(stall.kind)}},
                       static_cast<double>(read(stall.direction, stall.kind))});
  }
  return samples;
}

void AddStallSources(Metrics& metrics, const StuckDetector& detector) {
  metrics.AddSource({"lanekeeper_streams_stuck",
                     "Open RPCs in which somebody has waited for longer than stuck.after and it is "
                     "certain for whom, by the direction in which nothing moves and the kind.",
                     MetricType::Gauge, [&detector] {
                       return EachStall([&](auto... stall) { return detector.stuck(stall...); });
                     }});
  metrics.AddSource({"lanekeeper_stream_stalls_total",
                     "Times that an RPC became stuck, by direction and kind.", MetricType::Counter,
                     [&detector] {
                       return EachStall([&](auto... stall) { return detector.stalls(stall...); });
                     }});
}

using FrameCount = std::atomic<int64_t> http2::FrameCounts::*;

Samples Frames(const Listener& listener, const Channel& channel, FrameCount received,
               FrameCount sent) {
  Samples samples;
  const auto add = [&](const char* side, const http2::FrameCounts& frames) {
    samples.push_back({{{"side", side}, {"by", "peer"}}, static_cast<double>(frames.*received)});
    samples.push_back({{{"side", side}, {"by", "lanekeeper"}}, static_cast<double>(frames.*sent)});
  };
  add("downstream", listener.frames());
  add("upstream", channel.frames());
  return samples;
}

void AddFrameSources(Metrics& metrics, const Listener& listener, const Channel& channel) {
  using http2::FrameCounts;
  metrics.AddSource({"lanekeeper_resets_total",
                     "RST_STREAM frames, by the side of the connection and by who sent them.",
                     MetricType::Counter, [&listener, &channel] {
                       return Frames(listener, channel, &FrameCounts::resets_received,
                                     &FrameCounts::resets_sent);
                     }});
  metrics.AddSource({"lanekeeper_goaways_total",
                     "GOAWAY frames, by the side of the connection and by who sent them.",
                     MetricType::Counter, [&listener, &channel] {
                       return Frames(listener, channel, &FrameCounts::goaways_received,
                                     &FrameCounts::goaways_sent);
                     }});
}

// One for each side and each labelled value of an enum.
template <class Enum, class Counts>
Samples BySide(const Listener& listener, const Channel& channel, const char* label,
               Counts http2::FrameCounts::*counts) {
  Samples samples;
  const auto add = [&](const char* side, const http2::FrameCounts& of) {
    for (const auto& [name, value] : kLabels<Enum>) {
      samples.push_back({{{"side", side}, {label, std::string(name)}},
                         static_cast<double>((of.*counts)[static_cast<size_t>(value)])});
    }
  };
  add("downstream", listener.frames());
  add("upstream", channel.frames());
  return samples;
}

void AddTlsSources(Metrics& metrics, const Listener& listener, const Channel& channel) {
  metrics.AddSource({"lanekeeper_tls_handshakes_total",
                     "TLS handshakes that ended, by the side of the connection and their outcome.",
                     MetricType::Counter, [&listener, &channel] {
                       Samples samples;
                       const auto add = [&](const char* side, const TlsCounts& counts) {
                         for (const auto& [name, outcome] : kLabels<TlsOutcome>) {
                           samples.push_back({{{"side", side}, {"outcome", std::string(name)}},
                                              static_cast<double>(counts.Get(outcome))});
                         }
                       };
                       add("downstream", listener.tls_counts());
                       add("upstream", channel.tls_counts());
                       return samples;
                     }});
  const auto for_each = [&listener, &channel](auto&& visit) {
    listener.ForEachCredentials(visit);
    channel.VisitCredentials(visit);
  };
  metrics.AddSource({"lanekeeper_tls_certificate_expiry_timestamp_seconds",
                     "When the certificate in use expires, in seconds since the Unix epoch, by its "
                     "file (label file).",
                     MetricType::Gauge, [for_each] {
                       std::map<std::string, double> expiries;
                       for_each([&](const TlsCredentials& credentials) {
                         if (const auto facts = credentials.facts()) {
                           expiries[facts->file] = static_cast<double>(facts->not_after);
                         }
                       });
                       Samples samples;
                       for (const auto& [file, expiry] : expiries) {
                         samples.push_back({{{"file", file}}, expiry});
                       }
                       return samples;
                     }});
  metrics.AddSource(
      "lanekeeper_tls_reload_success",
      "1 if the TLS files were good when they were read last, 0 if what was read "
      "before is still in use.",
      MetricType::Gauge, [for_each] {
        bool fresh = true;
        for_each([&](const TlsCredentials& credentials) { fresh = fresh && credentials.fresh(); });
        return fresh ? 1.0 : 0.0;
      });
}

void AddConnectionSources(Metrics& metrics, const Listener& listener, const Channel& channel) {
  metrics.AddSource("lanekeeper_downstream_connections", "Connections from the application now.",
                    MetricType::Gauge, [&listener] { return listener.connections(); });
  metrics.AddSource("lanekeeper_accept_failures_total",
                    "Times that no file descriptor was left for a new downstream connection.",
                    MetricType::Counter, [&listener] { return listener.accept_failures(); });
  metrics.AddSource({"lanekeeper_connections_rejected_total",
                     "Downstream connections that were closed as soon as they were accepted, by "
                     "the limit that was reached.",
                     MetricType::Counter, [&listener] {
                       return ByEnum<ConnectionRejectReason>(
                           "reason", [&](auto reason) { return listener.rejected(reason); });
                     }});
  metrics.AddSource({"lanekeeper_faulty_connections_total",
                     "Connections that were ended for what the peer did, by side and reason.",
                     MetricType::Counter, [&listener, &channel] {
                       return BySide<http2::EndKind>(listener, channel, "reason",
                                                     &http2::FrameCounts::ends);
                     }});
  metrics.AddSource({"lanekeeper_flooded_connections_total",
                     "Those of them on which the peer sent more frames of a kind than there is a "
                     "reason for, or left too many unread.",
                     MetricType::Counter, [&listener, &channel] {
                       return BySide<http2::FloodKind>(listener, channel, "kind",
                                                       &http2::FrameCounts::floods);
                     }});
  metrics.AddSource("lanekeeper_upstream_connections", "Connections to the upstream now.",
                    MetricType::Gauge, [&channel] { return channel.connections(); });
  metrics.AddSource("lanekeeper_streams_awaiting_upstream",
                    "RPCs whose headers have not left yet: they wait for a connection or for the "
                    "upstream to allow one more stream.",
                    MetricType::Gauge, [&channel] { return channel.waiting(); });
  metrics.AddSource({"lanekeeper_upstream_state", "1 for the state the upstream channel is in.",
                     MetricType::Gauge, [&channel] {
                       return ByEnum<ChannelState>(
                           "state", [now = channel.state()](auto state) { return now == state; });
                     }});
}

void AddBufferSources(Metrics& metrics, const BufferBudget& budget) {
  metrics.AddSource("lanekeeper_buffered_bytes",
                    "Memory of bytes that are being read or cannot leave yet.", MetricType::Gauge,
                    [&budget] { return budget.held(); });
  metrics.AddSource("lanekeeper_buffered_bytes_stage",
                    "How near that is to limits.buffered_bytes: 0; 1: windows grow no further; 2: "
                    "streams that hold much get no credit; 3: new RPCs are refused.",
                    MetricType::Gauge, [&budget] { return static_cast<int>(budget.stage()); });
  metrics.AddSource(
      {"lanekeeper_buffered_bytes_stages_total", "Times that each of those stages was entered.",
       MetricType::Counter, [&budget] {
         Samples samples =
             ByEnum<BufferStage>("stage", [&](auto stage) { return budget.entered(stage); });
         samples.erase(samples.begin());  // where everything begins
         return samples;
       }});
}

Samples LogLines() {
  const LogLosses losses = ReadLogLosses();
  return {{{{"reason", "queue_full"}}, static_cast<double>(losses.queue_full)},
          {{{"reason", "rate_limited"}}, static_cast<double>(losses.rate_limited)}};
}

}  // namespace

void App::AddSources() {
  AddStallSources(metrics_, stuck_detector_);
  AddConnectionSources(metrics_, listener_, channel_);
  AddFrameSources(metrics_, listener_, channel_);
  metrics_.AddSource("lanekeeper_rpcs_queued",
                     "RPCs that wait in limits.queue until another one ends.", MetricType::Gauge,
                     [this] { return registry_.admission().waiting(); });
  AddTlsSources(metrics_, listener_, channel_);
  AddBufferSources(metrics_, worker_.loop().buffers().budget());
  metrics_.AddSource({"lanekeeper_rpc_threads", "Threads that run RPCs, by kind and state.",
                      MetricType::Gauge,
                      [this] { return Threads(environment_.thread_kind, registry_, worker_); }});
  metrics_.AddSource({"lanekeeper_log_lines_dropped_total",
                      "Log lines that were not written: nobody read them, or too many of one kind "
                      "came at once.",
                      MetricType::Counter, LogLines});
  reloader_.AddSources(metrics_);
}

}  // namespace lanekeeper

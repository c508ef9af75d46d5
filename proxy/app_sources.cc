#include <array>
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
  return {
      {{{"kind", name}, {"state", "busy"}}, static_cast<double>(registry.open())},
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

void AddConnectionSources(Metrics& metrics, const Listener& listener, const Channel& channel) {
  metrics.AddSource("lanekeeper_downstream_connections", "Connections from the application now.",
                    MetricType::Gauge, [&listener] { return listener.connections(); });
  metrics.AddSource("lanekeeper_accept_failures_total",
                    "Times that no file descriptor was left for a new downstream connection.",
                    MetricType::Counter, [&listener] { return listener.accept_failures(); });
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
  metrics_.AddSource("lanekeeper_buffered_bytes",
                     "Memory of bytes that are being read or cannot leave yet.", MetricType::Gauge,
                     [this] { return worker_.loop().buffers().bytes_held(); });
  metrics_.AddSource({"lanekeeper_rpc_threads", "Threads that run RPCs, by kind and state.",
                      MetricType::Gauge,
                      [this] { return Threads(config_.rpc_threads.kind, registry_, worker_); }});
  metrics_.AddSource({"lanekeeper_log_lines_dropped_total",
                      "Log lines that were not written: nobody read them, or too many of one kind "
                      "came at once.",
                      MetricType::Counter, LogLines});
}

}  // namespace lanekeeper

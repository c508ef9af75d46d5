#include "proxy/metrics/metrics.h"

#include <array>
#include <utility>

#include "proxy/metrics/status_names.h"

namespace lanekeeper {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::array<Direction, 2> kDirections = {Direction::kToUpstream, Direction::kToDownstream};
constexpr std::array<StreamOp, 2> kStreamOps = {StreamOp::kReceive, StreamOp::kSend};

const char* ToLabel(Direction direction) {
  return direction == Direction::kToUpstream ? "to_upstream" : "to_downstream";
}

const char* ToLabel(StreamOp op) { return op == StreamOp::kReceive ? "receive" : "send"; }

MetricFamily Family(std::string name, std::string help, MetricType type) {
  MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  return family;
}

void AddValue(MetricFamily& family, Metrics::Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  if (family.type == MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
  family.metric.push_back(std::move(metric));
}

}  // namespace

struct Metrics::MethodTotals {
  int64_t started = 0;
  int64_t messages_received = 0;
  int64_t messages_sent = 0;
  std::array<int64_t, kStatusCodes> handled{};
  DurationTotals<kHandlingBuckets.size()> handling;

  void Add(const MethodCells& cells) {
    started += cells.started.Get();
    messages_received += cells.messages_received.Get();
    messages_sent += cells.messages_sent.Get();
    for (size_t i = 0; i < handled.size(); ++i) handled[i] += cells.handled[i].Get();
    handling.Add(cells.handling);
  }
};

Metrics::Metrics(int max_methods) : labels_(max_methods) {}

void Metrics::AddSource(Source source) { sources_.push_back(std::move(source)); }

MetricShard& Metrics::TakeShard() {
  std::lock_guard lock(shards_mutex_);
  if (free_shards_.empty()) return shards_.emplace_back(labels_);
  MetricShard* shard = free_shards_.back();
  free_shards_.pop_back();
  return *shard;
}

void Metrics::ReturnShard(MetricShard& shard) {
  std::lock_guard lock(shards_mutex_);
  free_shards_.push_back(&shard);
}

int64_t Metrics::Sum(const std::function<int64_t(const MetricShard&)>& read) const {
  std::lock_guard lock(shards_mutex_);
  int64_t sum = 0;
  for (const MetricShard& shard : shards_) sum += read(shard);
  return sum;
}

std::vector<MetricFamily> Metrics::Collect() const {
  std::vector<MetricFamily> families;
  CollectMethods(families);
  CollectStreams(families);
  CollectSources(families);
  return families;
}

std::map<MethodLabels::Id, Metrics::MethodTotals> Metrics::TotalsByMethod() const {
  std::map<MethodLabels::Id, MethodTotals> totals;
  std::lock_guard lock(shards_mutex_);
  for (const MetricShard& shard : shards_) {
    shard.VisitMethods(
        [&](MethodLabels::Id id, const MethodCells& cells) { totals[id].Add(cells); });
  }
  return totals;
}

void Metrics::CollectMethods(std::vector<MetricFamily>& families) const {
  MetricFamily started = Family("grpc_server_started_total",
                                "RPCs that reached lanekeeper, by method.", MetricType::Counter);
  MetricFamily handled = Family("grpc_server_handled_total",
                                "RPCs that ended, by method and the status code sent downstream.",
                                MetricType::Counter);
  MetricFamily received =
      Family("grpc_server_msg_received_total",
             "Request messages received from the downstream, by method.", MetricType::Counter);
  MetricFamily sent =
      Family("grpc_server_msg_sent_total", "Response messages sent to the downstream, by method.",
             MetricType::Counter);
  MetricFamily handling =
      Family("grpc_server_handling_seconds", "Time from an RPC's arrival to its end, by method.",
             MetricType::Histogram);
  for (const auto& [id, totals] : TotalsByMethod()) {
    const MethodLabel label = labels_.Label(id);
    const Labels labels = {
        {"grpc_type", "unknown"}, {"grpc_service", label.service}, {"grpc_method", label.method}};
    AddValue(started, labels, static_cast<double>(totals.started));
    AddValue(received, labels, static_cast<double>(totals.messages_received));
    AddValue(sent, labels, static_cast<double>(totals.messages_sent));
    for (size_t code = 0; code < kStatusCodes; ++code) {
      if (totals.handled[code] == 0) continue;
      Labels with_code = labels;
      with_code.push_back({"grpc_code", StatusName(code)});
      AddValue(handled, std::move(with_code), static_cast<double>(totals.handled[code]));
    }
    ClientMetric histogram;
    histogram.label = labels;
    histogram.histogram = totals.handling.Histogram(kHandlingBuckets);
    handling.metric.push_back(std::move(histogram));
  }
  for (MetricFamily* family : {&started, &handled, &received, &sent, &handling}) {
    families.push_back(std::move(*family));
  }
}

void Metrics::CollectStreams(std::vector<MetricFamily>& families) const {
  const auto add = [&](MetricFamily family, auto&& fill) {
    fill(family);
    families.push_back(std::move(family));
  };
  const auto sum = [this](auto&& read) { return static_cast<double>(Sum(read)); };

  add(Family("lanekeeper_streams_open", "RPCs that are open now.", MetricType::Gauge),
      [&](MetricFamily& family) {
        AddValue(family, {}, sum([](const MetricShard& s) { return s.streams_open.Get(); }));
      });
  add(Family("lanekeeper_stream_ops_in_flight",
             "Receives and sends that have been started and wait to complete, by direction.",
             MetricType::Gauge),
      [&](MetricFamily& family) {
        for (Direction direction : kDirections) {
          for (StreamOp op : kStreamOps) {
            AddValue(
                family, {{"direction", ToLabel(direction)}, {"op", ToLabel(op)}},
                sum([&](const MetricShard& s) { return s.ops_in_flight(direction, op).Get(); }));
          }
        }
      });
  const auto by_direction = [&](MetricFamily& family, auto&& cells) {
    for (Direction direction : kDirections) {
      AddValue(family, {{"direction", ToLabel(direction)}}, sum([&](const MetricShard& s) {
                 return cells(s)[static_cast<size_t>(direction)].Get();
               }));
    }
  };
  add(Family("lanekeeper_stream_messages_total", "Messages forwarded, by direction.",
             MetricType::Counter),
      [&](MetricFamily& family) {
        by_direction(
            family, [](const MetricShard& s) -> auto& { return s.messages; });
      });
  add(Family("lanekeeper_stream_message_bytes_total",
             "Bytes of the messages forwarded, as on the wire without framing, by direction.",
             MetricType::Counter),
      [&](MetricFamily& family) {
        by_direction(
            family, [](const MetricShard& s) -> auto& { return s.message_bytes; });
      });
  add(Family("lanekeeper_upstream_start_wait_seconds",
             "Time from the start of an RPC upstream until its headers left, which takes a "
             "connection and a stream that the upstream allows.",
             MetricType::Histogram),
      [&](MetricFamily& family) {
        DurationTotals<kStartWaitBuckets.size()> totals;
        Sum([&](const MetricShard& s) {
          totals.Add(s.start_wait);
          return 0;
        });
        family.metric.emplace_back().histogram = totals.Histogram(kStartWaitBuckets);
      });
  add(Family("lanekeeper_upstream_retries_total",
             "RPCs started again on another connection because the upstream had not processed "
             "them.",
             MetricType::Counter),
      [&](MetricFamily& family) {
        AddValue(family, {}, sum([](const MetricShard& s) { return s.upstream_retries.Get(); }));
      });
  add(Family("lanekeeper_streams_terminated_total", "RPCs that ended, by the cause of their end.",
             MetricType::Counter),
      [&](MetricFamily& family) {
        for (size_t i = 0; i < kTerminationCauses; ++i) {
          AddValue(family, {{"cause", lanekeeper::ToLabel(static_cast<TerminationCause>(i))}},
                   sum([i](const MetricShard& s) { return s.terminated[i].Get(); }));
        }
      });
  add(Family("lanekeeper_rpcs_rejected_total", "RPCs refused at once, by reason.",
             MetricType::Counter),
      [&](MetricFamily& family) {
        for (size_t i = 0; i < kRejectReasons; ++i) {
          AddValue(family, {{"reason", lanekeeper::ToLabel(static_cast<RejectReason>(i))}},
                   sum([i](const MetricShard& s) { return s.rejected[i].Get(); }));
        }
      });
  add(Family(
          "lanekeeper_stream_contract_violations_total",
          "Second sends or receives in one direction of a stream: a bug of lanekeeper, always 0.",
          MetricType::Counter),
      [&](MetricFamily& family) {
        AddValue(family, {}, sum([](const MetricShard& s) { return s.contract_violations.Get(); }));
      });
}

void Metrics::CollectSources(std::vector<MetricFamily>& families) const {
  for (const Source& source : sources_) {
    MetricFamily family = Family(source.name, source.help, source.type);
    for (Sample& sample : source.read()) AddValue(family, std::move(sample.labels), sample.value);
    families.push_back(std::move(family));
  }
}

}  // namespace lanekeeper

#include "proxy/observe/metrics.h"

#include <array>
#include <utility>

namespace lanekeeper {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

}  // namespace

Metrics::Metrics(int max_methods) : labels_(max_methods) {}

void Metrics::AddSource(Source source) { sources_.push_back(std::move(source)); }

MetricShard& Metrics::AddShard() {
  std::lock_guard lock(shards_mutex_);
  return shards_.emplace_back(labels_);
}

void Metrics::ForEachShard(const std::function<void(const MetricShard&)>& visit) const {
  std::lock_guard lock(shards_mutex_);
  for (const MetricShard& shard : shards_) visit(shard);
}

int64_t Metrics::Sum(const std::function<int64_t(const MetricShard&)>& read) const {
  int64_t sum = 0;
  ForEachShard([&](const MetricShard& shard) { sum += read(shard); });
  return sum;
}

std::vector<MetricFamily> Metrics::Collect() const {
  std::vector<MetricFamily> families;
  CollectMethods(families);
  CollectStreams(families);
  CollectSources(families);
  return families;
}

std::map<MethodLabels::Id, MethodCells> Metrics::TotalsByMethod() const {
  std::map<MethodLabels::Id, MethodCells> totals;
  ForEachShard([&](const MetricShard& shard) {
    shard.VisitMethods(
        [&](MethodLabels::Id id, const MethodCells& cells) { totals[id].Add(cells); });
  });
  return totals;
}

void Metrics::CollectMethods(std::vector<MetricFamily>& families) const {
  MetricFamily started = MakeFamily(
      "grpc_server_started_total", "RPCs that reached lanekeeper, by method.", MetricType::Counter);
  MetricFamily handled = MakeFamily(
      "grpc_server_handled_total",
      "RPCs that ended, by method and the status code sent downstream.", MetricType::Counter);
  MetricFamily received =
      MakeFamily("grpc_server_msg_received_total",
                 "Request messages received from the downstream, by method.", MetricType::Counter);
  MetricFamily sent =
      MakeFamily("grpc_server_msg_sent_total",
                 "Response messages sent to the downstream, by method.", MetricType::Counter);
  MetricFamily handling =
      MakeFamily("grpc_server_handling_seconds",
                 "Time from an RPC's arrival to its end, by method.", MetricType::Histogram);
  for (const auto& [id, totals] : TotalsByMethod()) {
    const MethodLabel label = labels_.Label(id);
    const MetricLabels labels = {
        {"grpc_type", "unknown"}, {"grpc_service", label.service}, {"grpc_method", label.method}};
    AddValue(started, labels, static_cast<double>(totals.started.Get()));
    AddValue(received, labels, static_cast<double>(totals.messages_received.Get()));
    AddValue(sent, labels, static_cast<double>(totals.messages_sent.Get()));
    for (size_t code = 0; code < kStatusCodes; ++code) {
      if (totals.handled[code].Get() == 0) continue;
      MetricLabels with_code = labels;
      with_code.push_back({"grpc_code", StatusName(code)});
      AddValue(handled, std::move(with_code), static_cast<double>(totals.handled[code].Get()));
    }
    AddHistogram(handling, labels, totals.handling.Histogram());
  }
  for (MetricFamily* family : {&started, &handled, &received, &sent, &handling}) {
    families.push_back(std::move(*family));
  }
}

void Metrics::AddSource(const char* name, const char* help, MetricType type,
                        std::function<double()> read) {
  AddSource({name, help, type, [read = std::move(read)] {
               return std::vector<Sample>{{{}, read()}};
             }});
}

void Metrics::CollectSources(std::vector<MetricFamily>& families) const {
  for (const Source& source : sources_) {
    MetricFamily family = MakeFamily(source.name, source.help, source.type);
    for (Sample& sample : source.read()) AddValue(family, std::move(sample.labels), sample.value);
    families.push_back(std::move(family));
  }
}

MetricFamily MakeFamily(std::string name, std::string help, MetricType type) {
  MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  return family;
}

void AddValue(MetricFamily& family, MetricLabels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  if (family.type == MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
  family.metric.push_back(std::move(metric));
}

void AddHistogram(MetricFamily& family, MetricLabels labels, ClientMetric::Histogram histogram) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.histogram = std::move(histogram);
  family.metric.push_back(std::move(metric));
}

}  // namespace lanekeeper

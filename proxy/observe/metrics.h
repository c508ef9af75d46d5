// Every metric family of the proxy. Owns the shards that threads count in, and sums them when
// Prometheus asks. Values that are not counted but looked up (connections, threads) come from
// sources that the App registers. Collect from any thread; sources are registered before the first
// scrape.
#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "proxy/observe/method_labels.h"
#include "proxy/observe/metric_shard.h"

namespace lanekeeper {

using MetricLabels = std::vector<prometheus::ClientMetric::Label>;

class Metrics final : public prometheus::Collectable {
 public:
  struct Sample {
    MetricLabels labels;
    double value = 0;
  };
  struct Source {
    std::string name;
    std::string help;
    prometheus::MetricType type;
    std::function<std::vector<Sample>()> read;
  };

  explicit Metrics(int max_methods);

  void AddSource(Source source);
  // Of one value.
  void AddSource(const char* name, const char* help, prometheus::MetricType type,
                 std::function<double()> read);

  // For a thread that counts; its numbers are summed to the end.
  MetricShard& AddShard();

  std::vector<prometheus::MetricFamily> Collect() const override;

  // metrics.max_methods, for methods that are still to come. Any thread.
  void SetMaxMethods(int max_methods) { labels_.SetMax(max_methods); }

  // Under a lock: be quick.
  void ForEachShard(const std::function<void(const MetricShard&)>& visit) const;
  // The total of one cell over all shards.
  int64_t Sum(const std::function<int64_t(const MetricShard&)>& read) const;

 private:
  std::map<MethodLabels::Id, MethodCells> TotalsByMethod() const;
  void CollectMethods(std::vector<prometheus::MetricFamily>& families) const;
  void CollectStreams(std::vector<prometheus::MetricFamily>& families) const;
  void CollectSources(std::vector<prometheus::MetricFamily>& families) const;

  MethodLabels labels_;
  std::vector<Source> sources_;

  mutable std::mutex shards_mutex_;
  std::list<MetricShard> shards_;
};

// Builders of families, for those who collect them.
prometheus::MetricFamily MakeFamily(std::string name, std::string help,
                                    prometheus::MetricType type);
// To a counter or a gauge.
void AddValue(prometheus::MetricFamily& family, MetricLabels labels, double value);
void AddHistogram(prometheus::MetricFamily& family, MetricLabels labels,
                  prometheus::ClientMetric::Histogram histogram);

// The process_* families that Prometheus's own clients have, and lanekeeper_build_info, which tells
// the versions of the libraries that run.
void AddProcessSources(Metrics& metrics, std::string grpc_version, std::string nghttp2_version);

}  // namespace lanekeeper

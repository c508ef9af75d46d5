// Every metric family of the proxy. Owns the shards that threads count in, and sums them when
// Prometheus asks. Values that are not counted but looked up (connections, threads) come from
// sources that the App registers. Collect from any thread; sources are registered before the first
// scrape.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "proxy/observe/family.h"
#include "proxy/observe/method_labels.h"
#include "proxy/observe/metric_shard.h"

namespace lanekeeper {

class Metrics final : public prometheus::Collectable {
 public:
  using Labels = MetricLabels;
  struct Sample {
    Labels labels;
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

  std::vector<prometheus::MetricFamily> Collect() const override;

  // Under a lock: be quick.
  void ForEachShard(const std::function<void(const MetricShard&)>& visit) const;
  // The total of one cell over all shards.
  int64_t Sum(const std::function<int64_t(const MetricShard&)>& read) const;

 private:
  friend class ShardLease;

  struct MethodTotals;

  MetricShard& TakeShard();
  void ReturnShard(MetricShard& shard);

  std::map<MethodLabels::Id, MethodTotals> TotalsByMethod() const;
  void CollectMethods(std::vector<prometheus::MetricFamily>& families) const;
  void CollectSources(std::vector<prometheus::MetricFamily>& families) const;

  MethodLabels labels_;
  std::vector<Source> sources_;

  mutable std::mutex shards_mutex_;
  std::list<MetricShard> shards_;
  std::vector<MetricShard*> free_shards_;
};

// A thread's shard, for as long as the thread counts. The numbers stay in the shard when it is
// returned.
class ShardLease {
 public:
  explicit ShardLease(Metrics& metrics) : metrics_(metrics), shard_(metrics.TakeShard()) {}
  ShardLease(const ShardLease&) = delete;
  ShardLease& operator=(const ShardLease&) = delete;
  ~ShardLease() { metrics_.ReturnShard(shard_); }

  MetricShard& operator*() { return shard_; }

 private:
  Metrics& metrics_;
  MetricShard& shard_;
};

}  // namespace lanekeeper

#include "proxy/observe/metrics.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "proxy/observe/rpc_recorder.h"

namespace lanekeeper {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;

const LoopClock kClock;
constexpr int kOk = static_cast<int>(StatusCode::kOk);
constexpr int kCancelled = static_cast<int>(StatusCode::kCancelled);

MetricFamily FamilyOf(const Metrics& metrics, const std::string& name) {
  for (MetricFamily& family : metrics.Collect()) {
    if (family.name == name) return std::move(family);
  }
  ADD_FAILURE() << "no family " << name;
  return {};
}

TEST(MetricsTest, ShardsAreSummed) {
  Metrics metrics(10);
  MetricShard& first = metrics.AddShard();
  MetricShard& second = metrics.AddShard();
  first.messages[0].Add(3);
  second.messages[0].Add(4);
  const MetricFamily family = FamilyOf(metrics, "lanekeeper_stream_messages_total");
  ASSERT_EQ(family.metric.size(), 2u);
  EXPECT_EQ(family.metric[0].counter.value, 7);
  EXPECT_EQ(family.metric[1].counter.value, 0);
}

TEST(MetricsTest, ARecorderSettlesExactlyOnceWithItsFirstCause) {
  Metrics metrics(10);
  MetricShard& shard = metrics.AddShard();
  {
    RpcRecorder recorder(shard, kClock, "/s/M");
    EXPECT_EQ(shard.streams_open.Get(), 1);
    recorder.End(TerminationCause::kClientCancel, kCancelled);
    recorder.End(TerminationCause::kUpstreamStatus, kOk);
  }
  EXPECT_EQ(shard.streams_open.Get(), 0);
  for (size_t i = 0; i < kTerminationCauses; ++i) {
    EXPECT_EQ(shard.terminated[i].Get(),
              static_cast<TerminationCause>(i) == TerminationCause::kClientCancel);
  }
  const MethodCells& method = shard.ForMethod("/s/M");
  EXPECT_EQ(method.started.Get(), 1);
  EXPECT_EQ(method.handled[kCancelled].Get(), 1);
  EXPECT_EQ(method.handled[kOk].Get(), 0);
}

TEST(MetricsTest, ARecorderWithoutACauseIsCountedAsOurBug) {
  Metrics metrics(10);
  MetricShard& shard = metrics.AddShard();
  { const RpcRecorder recorder(shard, kClock, "/s/M"); }
  EXPECT_EQ(shard.terminated[static_cast<size_t>(TerminationCause::kInternal)].Get(), 1);
}

TEST(MetricsTest, HistogramBucketsAreCumulativeAndEndInAll) {
  Metrics metrics(10);
  MetricShard& shard = metrics.AddShard();
  for (int i = 0; i < 3; ++i) {
    RpcRecorder recorder(shard, kClock, "/s/M");
    recorder.End(TerminationCause::kUpstreamStatus, kOk);
  }
  const MetricFamily family = FamilyOf(metrics, "grpc_server_handling_seconds");
  ASSERT_EQ(family.metric.size(), 1u);
  const ClientMetric::Histogram& histogram = family.metric[0].histogram;
  EXPECT_EQ(histogram.sample_count, 3u);
  EXPECT_EQ(histogram.bucket.back().cumulative_count, 3u);
  EXPECT_TRUE(std::is_sorted(
      histogram.bucket.begin(), histogram.bucket.end(),
      [](const auto& a, const auto& b) { return a.cumulative_count < b.cumulative_count; }));
}

TEST(MetricsTest, EveryFamilyHasHelpAndCountersEndInTotal) {
  Metrics metrics(10);
  for (const MetricFamily& family : metrics.Collect()) {
    EXPECT_FALSE(family.help.empty()) << family.name;
    EXPECT_EQ(family.name.ends_with("_total"), family.type == prometheus::MetricType::Counter)
        << family.name;
  }
}

}  // namespace
}  // namespace lanekeeper

// A lanekeeper in the test's own process, in front of one upstream. Destruction asserts that
// nothing is left: no RPC, no operation in flight, no contract violation, no thread of ours.
#pragma once

#include <grpcpp/channel.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "config/config.h"
#include "proxy/app.h"
#include "tests/support/downstream_call.h"
#include "tests/support/eventually.h"

namespace lanekeeper::testing {

class ProxyHarness {
 public:
  ProxyHarness(RpcThreadKind kind, const std::string& upstream,
               const std::function<void(Config&)>& change = {}, const ChannelTraits& traits = {});
  ~ProxyHarness();

  App& app() { return *app_; }

  // Another configuration while it runs, as if its file had it; what came of it.
  ReloadResult Reload(const std::function<void(Config&)>& change);

  std::string address() const { return app_->listener().addresses().front(); }

  // A channel with a connection of its own, which is there.
  std::shared_ptr<grpc::Channel> NewChannel() const;
  // One that the whole test shares.
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // The sum over all samples of a metric that carry these labels; NaN when there is none.
  double Metric(const std::string& name, const MetricLabels& labels = {}) const;
  // Whether the metric reaches the value within kPatience.
  bool AwaitMetric(const std::string& name, const MetricLabels& labels, double value) const;

  // Cuts the App down before the test ends.
  void Stop();

 private:
  std::shared_ptr<grpc::Channel> LazyChannel() const;
  Config config_;  // as in the file that there is not
  std::unique_ptr<App> app_;
  std::shared_ptr<grpc::Channel> channel_;
};

// Every data-path test runs with both kinds of RPC threads.
class BothKinds : public ::testing::TestWithParam<RpcThreadKind> {};

inline std::string KindName(const ::testing::TestParamInfo<RpcThreadKind>& info) {
  return info.param == RpcThreadKind::kUser ? "User" : "Kernel";
}

#define LANEKEEPER_BOTH_KINDS(suite)                                                        \
  INSTANTIATE_TEST_SUITE_P(RpcThreads, suite,                                               \
                           ::testing::Values(RpcThreadKind::kUser, RpcThreadKind::kKernel), \
                           KindName)

}  // namespace lanekeeper::testing

#include "tests/support/proxy_harness.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <utility>

#include "proxy/log/log_event.h"

namespace lanekeeper::testing {
namespace {

// Threads of ours still alive, by name: "lk-..." and the kernel threads' own.
std::string LeftThreads() {
  std::string left;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", error)) {
    std::ifstream file(task.path() / "comm");
    std::string name;
    std::getline(file, name);
    if (name.starts_with("lk-") || name == "Method") left += name + " ";
  }
  return left;
}

// Without SetUpLog, which starts a thread, the fields of our lines would be written raw.
void ReadableLog() {
  static std::once_flag once;
  std::call_once(once, [] { spdlog::set_formatter(MakeLogFormatter(LogFormat::kText)); });
}

bool HasLabels(const prometheus::ClientMetric& metric, const MetricLabels& labels) {
  return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
    return std::find(metric.label.begin(), metric.label.end(), label) != metric.label.end();
  });
}

double ValueOf(const prometheus::ClientMetric& metric, prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return metric.counter.value;
    case prometheus::MetricType::Histogram:
      return static_cast<double>(metric.histogram.sample_count);
    default:
      return metric.gauge.value;
  }
}

}  // namespace

// Only the last one to end can tell whether threads are left.
static std::atomic<int> live_proxies{0};

static const std::filesystem::path kMinimalConfig =
    std::filesystem::path(__FILE__).parent_path() / "../../config/minimal.yaml";

ProxyHarness::ProxyHarness(RpcThreadKind kind, const std::string& upstream,
                           const std::function<void(Config&)>& change,
                           const ChannelTraits& traits) {
  config_.listen = {{"127.0.0.1:0"}};
  config_.upstream.address = upstream;
  config_.rpc_threads.kind = kind;
  if (kind == RpcThreadKind::kUser) config_.rpc_threads.workers = 2;
  config_.drain.timeout = std::chrono::seconds(5);
  config_.metrics.address = std::nullopt;
  config_.admin.address = std::nullopt;
  config_.reload.watch = false;
  config_.log.access = LogAccess::kOff;
  if (change) change(config_);
  ReadableLog();
  ++live_proxies;
  // Any good file: its values give way to config_, as they do to flags.
  ConfigSource source(kMinimalConfig.string(), ProcessEnvironment(),
                      [this](Config& read) { read = config_; });
  app_ = std::make_unique<App>(config_, AppHooks{.source = std::move(source)}, traits);
  channel_ = LazyChannel();
}

ProxyHarness::~ProxyHarness() { Stop(); }

void ProxyHarness::Stop() {
  if (app_ == nullptr) return;
  EXPECT_TRUE(Eventually([this] { return app_->registry().open() == 0; }))
      << app_->registry().open() << " RPCs are left open";
  EXPECT_EQ(Metric("lanekeeper_stream_ops_in_flight"), 0);
  EXPECT_EQ(Metric("lanekeeper_streams_half_closed"), 0);
  EXPECT_EQ(Metric("lanekeeper_stream_contract_violations_total"), 0);
  EXPECT_EQ(Metric("lanekeeper_streams_terminated_total", {{"cause", "internal"}}), 0);
  channel_.reset();
  app_.reset();
  // A joined thread stays visible for a moment.
  if (--live_proxies > 0) return;
  EXPECT_TRUE(Eventually([] { return LeftThreads().empty(); })) << "left: " << LeftThreads();
}

ReloadResult ProxyHarness::Reload(const std::function<void(Config&)>& change) {
  change(config_);
  const std::optional<ReloadOutcome> outcome = app_->Reload("test");
  return outcome ? outcome->result : ReloadResult::kRefused;
}

std::shared_ptr<grpc::Channel> ProxyHarness::LazyChannel() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, 1024 * 1024);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  return grpc::CreateCustomChannel(address(), grpc::InsecureChannelCredentials(), arguments);
}

std::shared_ptr<grpc::Channel> ProxyHarness::NewChannel() const {
  auto channel = LazyChannel();
  // The library looks at errno long after connect() has set it: now and then it takes a connection
  // for refused ("No such file or directory") that is under way. It dials again.
  channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(5));
  return channel;
}

double ProxyHarness::Metric(const std::string& name, const MetricLabels& labels) const {
  double sum = NAN;
  for (const prometheus::MetricFamily& family : app_->metrics().Collect()) {
    if (family.name != name) continue;
    for (const prometheus::ClientMetric& metric : family.metric) {
      if (!HasLabels(metric, labels)) continue;
      sum = (std::isnan(sum) ? 0 : sum) + ValueOf(metric, family.type);
    }
  }
  return sum;
}

bool ProxyHarness::AwaitMetric(const std::string& name, const MetricLabels& labels,
                               double value) const {
  return Eventually([&] { return Metric(name, labels) == value; });
}

}  // namespace lanekeeper::testing

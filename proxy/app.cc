#include "proxy/app.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>
#include <utility>

#include "proxy/admin/admin_server.h"
#include "proxy/app_sources.h"
#include "proxy/metrics/process_sources.h"

namespace lanekeeper {
namespace {

using std::chrono::steady_clock;

// How often a drain looks whether it was told to end at once.
constexpr auto kDrainStep = std::chrono::milliseconds(50);
// How long downstreams get to understand a GOAWAY, and how often we look whether they have.
constexpr auto kGoawayPatience = std::chrono::milliseconds(300);
constexpr auto kGoawayStep = std::chrono::milliseconds(5);
// How long the downstreams get to take their last status.
constexpr auto kStatusPatience = std::chrono::milliseconds(500);

MetadataRules RequestMetadataRules(const Config& config) {
  return {config.limits.metadata_size_bytes, "metadata_size", config.upstream.user_agent_header};
}

MetadataRules ResponseMetadataRules(const Config& config) {
  const LimitsConfig& limits = config.limits;
  if (!limits.response_metadata_size_bytes)
    return {limits.metadata_size_bytes, "metadata_size", {}};
  return {*limits.response_metadata_size_bytes, "response_metadata_size", {}};
}

}  // namespace

App::App(const Config& config, std::function<void()> request_drain)
    : config_(config),
      metrics_(config.metrics.max_methods),
      channel_(config.upstream, config.limits.upstream_waiting),
      upstream_watch_(channel_, config.upstream.address),
      registry_(config.limits.open_rpcs, static_cast<size_t>(WorkerCount(config.rpc_threads))),
      environment_{channel_,
                   RequestMetadataRules(config_),
                   ResponseMetadataRules(config_),
                   static_cast<size_t>(config.limits.message_size_bytes.value_or(
                       std::numeric_limits<int64_t>::max())),
                   config.rpc_threads.kind,
                   StallRulesOf(config.stuck),
                   AccessLog(config.log.access),
                   std::chrono::system_clock::now() - std::chrono::nanoseconds(InstantNow())},
      threads_(std::make_unique<RpcThreads>(config.rpc_threads,
                                            WorkerContext{environment_, registry_, metrics_})),
      listener_(std::make_unique<Listener>(config.listen)),
      stuck_detector_(config.stuck, registry_, channel_),
      parts_{config_,   readiness_,      metrics_,  channel_,  upstream_watch_,
             registry_, stuck_detector_, *threads_, *listener_},
      control_(parts_, std::move(request_drain)) {
  AddAppSources(metrics_, parts_);
  AddProcessSources(metrics_);
  if (config.metrics.address) {
    observability_ =
        std::make_unique<ObservabilityServer>(*config.metrics.address, metrics_, readiness_);
  }
  if (config.admin.address) admin_ = std::make_unique<AdminServer>(config_.admin, control_);
  listener_->Start(config.limits, *threads_);
  readiness_.SetReady();
  LogStart();
}

App::~App() {
  if (!drained_) {
    EndDrain();
    Drain();
  }
  threads_->Stop();
}

size_t App::Drain() {
  drained_ = true;
  readiness_.SetDraining();
  const auto deadline = steady_clock::now() + config_.drain.timeout;
  listener_->StopAccepting();
  // RPCs that were on their way when the GOAWAY was sent are still to come, until the downstreams
  // have understood and closed, or have had the time to.
  const auto quiet = std::min(deadline, steady_clock::now() + kGoawayPatience);
  while (steady_clock::now() < deadline && !end_drain_) {
    const bool empty =
        registry_.WaitUntilEmpty(std::min(deadline, steady_clock::now() + kDrainStep));
    if (empty && (listener_->connections() == 0 || steady_clock::now() >= quiet)) break;
    if (empty) std::this_thread::sleep_for(kGoawayStep);
  }
  const size_t ended = EndOpenRpcs();
  listener_->Shutdown();
  return ended;
}

size_t App::EndOpenRpcs() {
  const size_t ended = registry_.ForEach([](Rpc& rpc) { rpc.EndForDrain(); });
  registry_.WaitUntilEmpty(steady_clock::now() + kStatusPatience);
  registry_.Close();
  // Repeatedly: an RPC may have been admitted while we ended the others.
  while (!registry_.WaitUntilEmpty(steady_clock::now() + kDrainStep)) {
    registry_.ForEach([](Rpc& rpc) {
      rpc.EndForDrain();
      rpc.CancelForDrain();
    });
  }
  return ended;
}

void App::EndDrain() { end_drain_ = true; }

void App::LogStart() const {
  if (observability_) spdlog::info("metrics on {}", observability_->name());
  if (admin_) spdlog::info("control on {}", admin_->name());
  for (const std::string& address : listener_->addresses())
    spdlog::info("listening on {}", address);
}

}  // namespace lanekeeper

#include "proxy/app.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>
#include <utility>

#include "proxy/admin/admin_server.h"
#include "proxy/admin/grpc_service.h"
#include "proxy/http2/version.h"

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

Ending Draining() {
  return {TerminationCause::kDrain, StatusCode::kUnavailable, MessageFor(RejectReason::kDraining)};
}

// Above this a header block is not kept whole: far above what we let pass, which fails one RPC.
size_t HeaderListBytesMax(const LimitsConfig& limits) {
  constexpr int64_t kAtLeast = 64 * 1024;
  constexpr int64_t kFactor = 4;
  const int64_t largest =
      std::max(limits.metadata_size_bytes, limits.response_metadata_size_bytes.value_or(0));
  return static_cast<size_t>(std::max(kAtLeast, largest * kFactor));
}

RpcEnvironment EnvironmentOf(const Config& config, Worker& worker, Channel& channel) {
  const LimitsConfig& limits = config.limits;
  const bool own = limits.response_metadata_size_bytes.has_value();
  return {
      .loop = worker.loop(),
      .metrics = worker.metrics(),
      .channel = channel,
      .executor = worker.executor(),
      .message_bytes_max = limits.message_size_bytes
                               ? static_cast<uint64_t>(*limits.message_size_bytes)
                               : std::numeric_limits<uint64_t>::max(),
      .response_metadata_bytes_max = static_cast<size_t>(
          limits.response_metadata_size_bytes.value_or(limits.metadata_size_bytes)),
      .response_metadata_key = own ? "response_metadata_size" : "metadata_size",
      .thread_kind = config.rpc_threads.kind,
      .stall_rules = StallRulesOf(config.stuck),
      .access_log = AccessLog(config.log.access),
      .steady_epoch = std::chrono::system_clock::now() - std::chrono::nanoseconds(InstantNow())};
}

}  // namespace

App::App(const Config& config, std::function<void()> request_drain)
    : config_(config),
      metrics_(config.metrics.max_methods),
      registry_(config.limits.open_rpcs),
      worker_(config.rpc_threads.kind, registry_, metrics_),
      channel_(worker_.loop(), config_.upstream, config.limits.upstream_waiting,
               HeaderListBytesMax(config.limits)),
      environment_(EnvironmentOf(config_, worker_, channel_)),
      listener_(config.listen,
                {environment_,
                 worker_.rpcs(),
                 registry_.admission(),
                 {static_cast<size_t>(config.limits.metadata_size_bytes), config.upstream.authority,
                  config.upstream.tls.ca ? "https" : "http"},
                 HeaderListBytesMax(config.limits)}),
      stuck_detector_(config.stuck, registry_),
      request_drain_(std::move(request_drain)) {
  AddSources();
  AddProcessSources(metrics_, GrpcVersion(), std::string(Nghttp2Version()));
  if (config.metrics.address) {
    observability_ =
        std::make_unique<ObservabilityServer>(*config.metrics.address, metrics_, readiness_);
  }
  if (config.admin.address) admin_ = std::make_unique<AdminServer>(config_.admin, *this);
  channel_.Connect();
  listener_.Start();
  worker_.Start();
  readiness_.SetReady();
  LogStart();
}

App::~App() {
  if (!drained_) {
    EndDrain();
    Drain();
  }
  worker_.Stop();
}

size_t App::Drain() {
  drained_ = true;
  readiness_.SetDraining();
  const auto deadline = steady_clock::now() + config_.drain.timeout;
  listener_.StopAccepting();
  // RPCs that were on their way when the GOAWAY was sent are still to come, until the downstreams
  // have understood and closed, or have had the time to.
  const auto quiet = std::min(deadline, steady_clock::now() + kGoawayPatience);
  while (steady_clock::now() < deadline && !end_drain_) {
    const bool empty =
        registry_.admission().WaitUntilEmpty(std::min(deadline, steady_clock::now() + kDrainStep));
    if (empty && (listener_.connections() == 0 || steady_clock::now() >= quiet)) break;
    if (empty) std::this_thread::sleep_for(kGoawayStep);
  }
  const size_t ended = EndOpenRpcs();
  listener_.Shutdown(kStatusPatience);
  return ended;
}

size_t App::EndOpenRpcs() {
  const size_t ended = registry_.ForEach([](Rpc& rpc) { rpc.Cancel(Draining(), false); });
  registry_.admission().WaitUntilEmpty(steady_clock::now() + kStatusPatience);
  registry_.admission().Close();
  // Repeatedly: an RPC may have been admitted while we ended the others.
  while (!registry_.admission().WaitUntilEmpty(steady_clock::now() + kDrainStep)) {
    registry_.ForEach([](Rpc& rpc) { rpc.Cancel(Draining()); });
  }
  return ended;
}

void App::EndDrain() { end_drain_ = true; }

void App::LogStart() const {
  if (observability_) spdlog::info("metrics on {}", observability_->name());
  if (admin_) spdlog::info("control on {}", admin_->name());
  for (const std::string& address : listener_.addresses()) spdlog::info("listening on {}", address);
}

}  // namespace lanekeeper

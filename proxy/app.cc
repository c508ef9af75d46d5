#include "proxy/app.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "proxy/admin/admin_server.h"
#include "proxy/admin/grpc_service.h"
#include "proxy/app_rules.h"
#include "proxy/http2/version.h"
#include "proxy/log/stream_log.h"

namespace lanekeeper {
namespace {

using std::chrono::steady_clock;

// How often a drain looks whether it was told to end at once.
constexpr auto kDrainStep = std::chrono::milliseconds(50);
// How long downstreams get to understand a GOAWAY, and how often we look whether they have.
constexpr auto kGoawayPatience = std::chrono::milliseconds(300);
constexpr auto kGoawayStep = std::chrono::milliseconds(5);
// Streams that are open for so long after the drain began delay the end, and are told. So many of
// them: the list is for a person.
constexpr auto kDelayPatience = std::chrono::milliseconds(1000);
constexpr size_t kDelayingTold = 1000;
// How long the downstreams get to take their last status.
constexpr auto kStatusPatience = std::chrono::milliseconds(500);

Ending Draining() {
  return {TerminationCause::kDrain, StatusCode::kUnavailable, MessageFor(RejectReason::kDraining)};
}

RpcEnvironment EnvironmentOf(const Config& config, Worker& worker, Channel& channel) {
  return {
      .loop = worker.loop(),
      .metrics = worker.metrics(),
      .channel = channel,
      .executor = worker.executor(),
      .rules = RpcRulesOf(config),
      .thread_kind = config.rpc_threads.kind,
      .stall_rules = CurrentStallRules(StallRulesOf(config.stuck)),
      .steady_epoch = std::chrono::system_clock::now() - std::chrono::nanoseconds(InstantNow())};
}

}  // namespace

App::App(const Config& config, AppHooks hooks, const ChannelTraits& traits)
    : config_path_(hooks.source ? hooks.source->path() : ""),
      reloader_(config, std::move(hooks.source),
                [this](const Config& before, const Config& after) { return Apply(before, after); }),
      metrics_(config.metrics.max_methods),
      registry_(config.limits),
      worker_(config.rpc_threads.kind, registry_, metrics_),
      channel_(worker_.loop(), config.upstream, config.limits.upstream_waiting,
               HeaderListBytesMax(config.limits), traits),
      environment_(EnvironmentOf(config, worker_, channel_)),
      listener_(config.listen, {environment_, worker_.rpcs(), registry_.admission(),
                                RequestRulesOf(config), HeaderListBytesMax(config.limits)}),
      stuck_detector_(config.stuck, registry_),
      watchdog_(worker_.loop()),
      request_drain_(std::move(hooks.request_drain)),
      request_reload_(std::move(hooks.request_reload)) {
  worker_.loop().buffers().budget().SetLimit(config.limits.buffered_bytes);
  AddSources();
  AddProcessSources(metrics_, GrpcVersion(), std::string(Nghttp2Version()));
  if (config.metrics.address) {
    observability_ =
        std::make_unique<ObservabilityServer>(*config.metrics.address, metrics_, readiness_);
  }
  if (config.admin.address) admin_ = std::make_unique<AdminServer>(config.admin, *this);
  WatchFile(config.reload.watch);
  channel_.Connect();
  listener_.Start();
  worker_.Start();
  readiness_.SetReady();
  LogStart();
  TellServiceReady();
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
  TellServiceStopping();
  reloader_.Close();
  const auto deadline = steady_clock::now() + config().drain.timeout;
  listener_.StopAccepting();
  // RPCs that were on their way when the GOAWAY was sent are still to come, until the downstreams
  // have understood and closed, or have had the time to.
  const auto quiet = std::min(deadline, steady_clock::now() + kGoawayPatience);
  const auto tell = std::min(deadline, steady_clock::now() + kDelayPatience);
  bool told = false;
  while (steady_clock::now() < deadline && !end_drain_) {
    const bool empty =
        registry_.admission().WaitUntilEmpty(std::min(deadline, steady_clock::now() + kDrainStep));
    if (empty && (listener_.connections() == 0 || steady_clock::now() >= quiet)) break;
    if (empty) std::this_thread::sleep_for(kGoawayStep);
    if (!told && steady_clock::now() >= tell) told = TellDelaying();
  }
  if (!told) TellDelaying();
  const size_t ended = EndOpenRpcs();
  listener_.Shutdown(kStatusPatience);
  return ended;
}

// Each by a line of its own, whatever log.access says.
bool App::TellDelaying() {
  size_t count = 0;
  registry_.ForEach([&](Rpc& rpc) {
    if (++count <= kDelayingTold) LogDelaysEnd(rpc.Snapshot());
  });
  if (count > kDelayingTold) {
    spdlog::warn("{} more streams delay the end", count - kDelayingTold);
  }
  return true;
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

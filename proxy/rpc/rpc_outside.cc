// What others see of an RPC and do to it.
#include <utility>

#include "proxy/rpc/rpc.h"
#include "proxy/rpc/rpc_registry.h"

namespace lanekeeper {
namespace {

LaneBlock BlockOf(const http2::Stream& sink, bool to_upstream) {
  const http2::Blocked blocked = sink.blocked();
  LaneBlock block{blocked.since, WaitingFor::kReceiver, sink.blocked_total()};
  // The application's whole connection is the application's matter; the upstream's is shared.
  if (to_upstream && blocked.by == http2::BlockedBy::kConnectionWindow) {
    block.by = WaitingFor::kConnectionWindow;
  }
  return block;
}

}  // namespace

StreamWaits Rpc::Waits() const {
  return {environment_.channel.connected(),
          {BlockOf(upstream_, true), BlockOf(downstream_, false)}};
}

StreamSnapshot Rpc::Snapshot() const {
  const Instant now = InstantNow();
  const StreamWaits waits = Waits();
  StreamSnapshot snapshot;
  snapshot.id = id_;
  snapshot.method = request_.method();
  snapshot.downstream_peer = *request_.peer;
  snapshot.age = activity_.age(now);
  snapshot.started = environment_.steady_epoch + std::chrono::nanoseconds(activity_.began());
  snapshot.deadline_left = deadline_left(now);
  snapshot.thread_kind = environment_.thread_kind;
  snapshot.attempts = activity_.attempts();
  snapshot.answered = activity_.answered();
  snapshot.to_upstream = activity_.Look(Direction::kToUpstream, now, waits);
  snapshot.to_downstream = activity_.Look(Direction::kToDownstream, now, waits);
  snapshot.stall = activity_.FindStall(environment_.stall_rules.Get(), now, waits);
  return snapshot;
}

std::optional<Stall> Rpc::FindStall(Instant now) const {
  return activity_.FindStall(environment_.stall_rules.Get(), now, Waits());
}

void Rpc::Cancel(Ending ending, bool at_once) {
  interrupted_.store(true, std::memory_order_relaxed);
  owner_.InterruptLater(id_, std::move(ending), at_once);
}

std::optional<std::chrono::nanoseconds> Rpc::deadline_left(Instant now) const {
  if (deadline_at_ == 0) return std::nullopt;
  return std::chrono::nanoseconds(deadline_at_ - now);
}

// Whether what has just happened is the deadline's doing: the peers' timers may be ahead of ours,
// for grpc-timeout is rounded on its way.
bool Rpc::deadline_passed() const {
  const std::optional<std::chrono::nanoseconds> left = deadline_left(environment_.loop.now());
  constexpr auto kSlack = std::chrono::milliseconds(50);
  return left && *left <= kSlack + recorder_.age() / 20;
}

void Rpc::LogEnd() const {
  const AccessLog& log = environment_.rules.access_log;
  const bool told_stuck = told_stuck_.load(std::memory_order_relaxed);
  if (!log.wants(recorder_.code()) && !(told_stuck && log.on())) return;
  log.Write({Snapshot(), recorder_.code(), recorder_.cause(), activity_.start_wait(),
             request_.fields.Find("traceparent")});
}

}  // namespace lanekeeper

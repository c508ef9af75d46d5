// What others see of an RPC and do to it; the forwarding itself is in rpc.cc.
#include <grpc/support/time.h>

#include <chrono>

#include "proxy/rpc/rpc.h"

namespace lanekeeper {

StreamSnapshot Rpc::Snapshot() const {
  const Instant now = InstantNow();
  const UpstreamView upstream = environment_.channel.View();
  StreamSnapshot snapshot;
  snapshot.id = id_;
  snapshot.method = downstream_.incoming().method();
  snapshot.downstream_peer = peer_;
  snapshot.age = activity_.age(now);
  snapshot.started = environment_.steady_epoch + std::chrono::nanoseconds(activity_.began());
  snapshot.deadline_left = deadline_left();
  snapshot.thread_kind = environment_.thread_kind;
  snapshot.attempts = activity_.attempts();
  snapshot.answered = activity_.answered();
  snapshot.to_upstream = activity_.Look(Direction::kToUpstream, now, upstream);
  snapshot.to_downstream = activity_.Look(Direction::kToDownstream, now, upstream);
  snapshot.stall = FindStall(now, upstream);
  return snapshot;
}

// The first interruption is the one that counts.
void Rpc::Interrupt(Interruption interruption) {
  Interruption none;
  interruption_.compare_exchange_strong(none, interruption, std::memory_order_relaxed);
}

void Rpc::Cancel(TerminationCause cause, grpc_status_code code, const std::string& message) {
  Interrupt({cause, code});
  downstream_.Cancel(code, message.c_str());
}

void Rpc::EndForDrain() {
  Interrupt({TerminationCause::kDrain, GRPC_STATUS_UNAVAILABLE});
  upstream_.Cancel(GRPC_STATUS_UNAVAILABLE, MessageFor(RejectReason::kDraining));
}

void Rpc::CancelForDrain() {
  Interrupt({TerminationCause::kDrain, GRPC_STATUS_UNAVAILABLE});
  downstream_.Cancel(GRPC_STATUS_UNAVAILABLE, MessageFor(RejectReason::kDraining));
}

std::optional<std::chrono::nanoseconds> Rpc::deadline_left() const {
  const gpr_timespec deadline = downstream_.incoming().details.deadline;
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) return std::nullopt;
  const gpr_timespec now = gpr_now(deadline.clock_type);
  return std::chrono::milliseconds(gpr_time_to_millis(gpr_time_sub(deadline, now)));
}

void Rpc::LogEnd() const {
  const AccessLog& log = environment_.access_log;
  const bool told_stuck = told_stuck_.load(std::memory_order_relaxed);
  if (!log.wants(recorder_.code()) && !(told_stuck && log.on())) return;
  log.Write({Snapshot(), recorder_.code(), recorder_.cause(), activity_.start_wait(),
             downstream_.incoming().traceparent()});
}

}  // namespace lanekeeper

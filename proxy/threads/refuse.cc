#include "proxy/threads/refuse.h"

#include "proxy/metrics/rpc_recorder.h"

namespace lanekeeper {
namespace {

void LogRefused(const IncomingCall& incoming, RejectReason reason,
                const RpcEnvironment& environment) {
  if (!environment.access_log.wants(CodeFor(reason))) return;
  EndedRpc ended;
  ended.stream.method = incoming.method();
  ended.stream.downstream_peer = incoming.peer();
  ended.stream.thread_kind = environment.thread_kind;
  ended.stream.attempts = 0;
  ended.code = CodeFor(reason);
  ended.cause =
      reason == RejectReason::kDraining ? TerminationCause::kDrain : TerminationCause::kLimit;
  ended.traceparent = incoming.traceparent();
  environment.access_log.Write(ended);
}

}  // namespace

void Refuse(IncomingCall incoming, RejectReason reason, const RpcEnvironment& environment,
            MetricShard& metrics) {
  LogRefused(incoming, reason, environment);
  RecordRefused(metrics, incoming.method(), reason, CodeFor(reason));
  // Core sends a cancelled server call's status as a trailers-only answer; no tag comes back, so no
  // queue has to be polled for it. The call is freed with `incoming`.
  grpc_call_cancel_with_status(incoming.call, CodeFor(reason), MessageFor(reason), nullptr);
}

}  // namespace lanekeeper

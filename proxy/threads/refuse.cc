#include "proxy/threads/refuse.h"

#include "proxy/metrics/rpc_recorder.h"

namespace lanekeeper {
namespace {

const char* MessageFor(RejectReason reason) {
  switch (reason) {
    case RejectReason::kOpenRpcs:
      return "lanekeeper: limits.open_rpcs RPCs are open already";
    case RejectReason::kNoThread:
      return "lanekeeper: no thread could be started for this RPC";
  }
  return "";
}

}  // namespace

void Refuse(IncomingCall incoming, RejectReason reason, MetricShard& metrics) {
  RecordRefused(metrics, incoming.method(), reason, GRPC_STATUS_RESOURCE_EXHAUSTED);
  // Core sends a cancelled server call's status as a trailers-only answer; no tag comes back, so no
  // queue has to be polled for it. The call is freed with `incoming`.
  grpc_call_cancel_with_status(incoming.call, GRPC_STATUS_RESOURCE_EXHAUSTED, MessageFor(reason),
                               nullptr);
}

}  // namespace lanekeeper

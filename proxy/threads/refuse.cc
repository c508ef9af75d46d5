#include "proxy/threads/refuse.h"

#include "proxy/metrics/rpc_recorder.h"

namespace lanekeeper {

void Refuse(IncomingCall incoming, RejectReason reason, MetricShard& metrics) {
  RecordRefused(metrics, incoming.method(), reason, CodeFor(reason));
  // Core sends a cancelled server call's status as a trailers-only answer; no tag comes back, so no
  // queue has to be polled for it. The call is freed with `incoming`.
  grpc_call_cancel_with_status(incoming.call, CodeFor(reason), MessageFor(reason), nullptr);
}

}  // namespace lanekeeper

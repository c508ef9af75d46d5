// Ends a call that was never admitted: nothing but the status is spent on it.
#pragma once

#include <grpc/status.h>

#include "proxy/downstream/server_call.h"
#include "proxy/metrics/metric_shard.h"
#include "proxy/rpc/rpc.h"

namespace lanekeeper {

// Answers with the reason's status, at once and without waiting for core. The thread that owns the
// shard.
void Refuse(IncomingCall incoming, RejectReason reason, const RpcEnvironment& environment,
            MetricShard& metrics);

}  // namespace lanekeeper

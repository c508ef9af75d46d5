// Why an RPC ended: exactly one cause for each, the label of lanekeeper_streams_terminated_total.
#pragma once

#include <cstddef>

#include "proxy/grpc/status.h"

namespace lanekeeper {

enum class TerminationCause {
  kUpstreamStatus,   // the upstream answered with a status, OK or not
  kUpstreamLost,     // no status came: the upstream was unreachable, reset the stream or went away
  kClientCancel,     // the downstream cancelled, reset the stream or lost its connection
  kDeadline,         // the RPC's own deadline passed
  kDrain,            // cancelled because lanekeeper was shutting down
  kLimit,            // a message or its metadata was above a limit of ours or of a peer's
  kStuck,            // cancelled because it was stuck (stuck.action: cancel)
  kOperator,         // cancelled by somebody at the control address
  kIllegalMetadata,  // metadata that HTTP/2 or gRPC does not allow to be sent on
  kInternal,         // our own fault
};
inline constexpr size_t kTerminationCauses = 10;

const char* ToLabel(TerminationCause cause);

// Why an RPC was refused at once; the label of lanekeeper_rpcs_rejected_total.
enum class RejectReason { kOpenRpcs, kNoThread, kUpstreamWaiting, kDraining };
inline constexpr size_t kRejectReasons = 4;

const char* ToLabel(RejectReason reason);
// The status that the downstream gets.
StatusCode CodeFor(RejectReason reason);
const char* MessageFor(RejectReason reason);

}  // namespace lanekeeper

// Why an RPC ended: exactly one cause for each, the label of lanekeeper_streams_terminated_total.
// Constants and pure functions; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "proxy/base/words.h"
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
template <>
inline constexpr auto kLabels<TerminationCause> = std::to_array<Named<TerminationCause>>(
    {{"upstream_status", TerminationCause::kUpstreamStatus},
     {"upstream_lost", TerminationCause::kUpstreamLost},
     {"client_cancel", TerminationCause::kClientCancel},
     {"deadline", TerminationCause::kDeadline},
     {"drain", TerminationCause::kDrain},
     {"limit", TerminationCause::kLimit},
     {"stuck", TerminationCause::kStuck},
     {"operator", TerminationCause::kOperator},
     {"illegal_metadata", TerminationCause::kIllegalMetadata},
     {"internal", TerminationCause::kInternal}});
inline constexpr size_t kTerminationCauses = kLabels<TerminationCause>.size();

// Why an RPC was refused at once; the label of lanekeeper_rpcs_rejected_total.
enum class RejectReason {
  kOpenRpcs,
  kQueueFull,     // of limits.queue
  kQueueTimeout,  // it has waited there for too long
  kStreamsPerConnection,
  kMethods,
  kBufferedBytes,
  kNoThread,
  kUpstreamWaiting,
  kDraining
};
template <>
inline constexpr auto kLabels<RejectReason> = std::to_array<Named<RejectReason>>(
    {{"open_rpcs", RejectReason::kOpenRpcs},
     {"queue_full", RejectReason::kQueueFull},
     {"queue_timeout", RejectReason::kQueueTimeout},
     {"streams_per_connection", RejectReason::kStreamsPerConnection},
     {"methods", RejectReason::kMethods},
     {"buffered_bytes", RejectReason::kBufferedBytes},
     {"no_thread", RejectReason::kNoThread},
     {"upstream_waiting", RejectReason::kUpstreamWaiting},
     {"draining", RejectReason::kDraining}});
inline constexpr size_t kRejectReasons = kLabels<RejectReason>.size();

// The status that the downstream gets.
inline StatusCode CodeFor(RejectReason reason) {
  return reason == RejectReason::kDraining ? StatusCode::kUnavailable
                                           : StatusCode::kResourceExhausted;
}

// What the downstream reads, where nothing more is known of the limit.
inline std::string MessageFor(RejectReason reason) {
  constexpr auto kMessages = std::to_array<Named<RejectReason>>(
      {{"lanekeeper: limits.open_rpcs RPCs are open already", RejectReason::kOpenRpcs},
       {"lanekeeper: limits.open_rpcs RPCs are open, limits.queue.length wait already",
        RejectReason::kQueueFull},
       {"lanekeeper: limits.open_rpcs RPCs are open, and none ended within limits.queue.timeout",
        RejectReason::kQueueTimeout},
       {"lanekeeper: no thread could be started for this RPC", RejectReason::kNoThread},
       {"lanekeeper: limits.upstream_waiting RPCs wait for the upstream already",
        RejectReason::kUpstreamWaiting},
       {"lanekeeper is shutting down", RejectReason::kDraining}});
  return std::string(NameOf(kMessages, reason));
}

// Status codes by the names that grpc_server_handled_total has everywhere ("NotFound").
inline const char* StatusName(size_t code) {
  constexpr std::array kNames = {
      "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
      "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
      "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
      "DataLoss", "Unauthenticated"};
  return code < kNames.size() ? kNames[code] : "other";
}

}  // namespace lanekeeper

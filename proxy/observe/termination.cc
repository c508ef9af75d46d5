#include "proxy/observe/termination.h"

namespace lanekeeper {

const char* ToLabel(TerminationCause cause) {
  switch (cause) {
    case TerminationCause::kUpstreamStatus:
      return "upstream_status";
    case TerminationCause::kUpstreamLost:
      return "upstream_lost";
    case TerminationCause::kClientCancel:
      return "client_cancel";
    case TerminationCause::kDeadline:
      return "deadline";
    case TerminationCause::kDrain:
      return "drain";
    case TerminationCause::kLimit:
      return "limit";
    case TerminationCause::kStuck:
      return "stuck";
    case TerminationCause::kOperator:
      return "operator";
    case TerminationCause::kIllegalMetadata:
      return "illegal_metadata";
    case TerminationCause::kInternal:
      return "internal";
  }
  return "internal";
}

const char* ToLabel(RejectReason reason) {
  switch (reason) {
    case RejectReason::kOpenRpcs:
      return "open_rpcs";
    case RejectReason::kNoThread:
      return "no_thread";
    case RejectReason::kUpstreamWaiting:
      return "upstream_waiting";
    case RejectReason::kDraining:
      return "draining";
  }
  return "open_rpcs";
}

StatusCode CodeFor(RejectReason reason) {
  return reason == RejectReason::kDraining ? StatusCode::kUnavailable
                                           : StatusCode::kResourceExhausted;
}

const char* MessageFor(RejectReason reason) {
  switch (reason) {
    case RejectReason::kOpenRpcs:
      return "lanekeeper: limits.open_rpcs RPCs are open already";
    case RejectReason::kNoThread:
      return "lanekeeper: no thread could be started for this RPC";
    case RejectReason::kUpstreamWaiting:
      return "lanekeeper: limits.upstream_waiting RPCs wait for the upstream already";
    case RejectReason::kDraining:
      return "lanekeeper is shutting down";
  }
  return "";
}

}  // namespace lanekeeper

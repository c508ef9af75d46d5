#include "proxy/rpc/termination.h"

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
  }
  return "open_rpcs";
}

}  // namespace lanekeeper

// How an RPC ends when we decide it: the cause for the metrics, the status for the application.
// Values only; any thread.
#pragma once

#include <string>

#include "proxy/grpc/status.h"
#include "proxy/http2/fields.h"
#include "proxy/observe/termination.h"

namespace lanekeeper {

struct Ending {
  TerminationCause cause = TerminationCause::kInternal;
  StatusCode code = StatusCode::kInternal;
  std::string message;
};

// As trailers; with `alone`, as the one header block of a trailers-only answer.
http2::FieldList FieldsOf(const Ending& ending, bool alone);

}  // namespace lanekeeper

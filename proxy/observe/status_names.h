// Status codes by the names that grpc_server_handled_total has everywhere ("NotFound").
#pragma once

#include <array>
#include <cstddef>

namespace lanekeeper {

inline const char* StatusName(size_t code) {
  constexpr std::array<const char*, 17> kNames = {
      "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
      "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
      "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
      "DataLoss", "Unauthenticated"};
  return code < kNames.size() ? kNames[code] : "other";
}

}  // namespace lanekeeper

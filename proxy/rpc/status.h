// How an RPC ended, as it travels: code, message, trailers. Owns copies of nothing that core owns:
// the trailers refer to the upstream call they came from, which must outlive this. The code is a
// number: upstreams may send some that gRPC does not define.
#pragma once

#include <grpc/status.h>

#include <string>

#include "proxy/rpc/metadata.h"

namespace lanekeeper {

struct RpcStatus {
  int code = GRPC_STATUS_UNKNOWN;
  std::string message;
  Metadata trailers;
};

}  // namespace lanekeeper

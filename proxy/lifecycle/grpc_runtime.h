// Keeps gRPC's library initialised while it lives. Without a holder for the whole life of the
// process part, the library would stop and start again whenever its last object goes, which costs a
// millisecond each time.
#pragma once

#include <grpc/grpc.h>

namespace lanekeeper {

class GrpcRuntime {
 public:
  GrpcRuntime() { grpc_init(); }
  GrpcRuntime(const GrpcRuntime&) = delete;
  GrpcRuntime& operator=(const GrpcRuntime&) = delete;
  ~GrpcRuntime() { grpc_shutdown(); }
};

}  // namespace lanekeeper

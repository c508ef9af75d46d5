// The numbers of one RPC: counts it as started when made, settles everything in its destructor,
// exactly once. An RPC that ends without a cause is our own bug and says so. The RPC's thread only.
#pragma once

#include <grpc/status.h>

#include <chrono>
#include <optional>
#include <string_view>

#include "proxy/metrics/metric_shard.h"

namespace lanekeeper {

class RpcRecorder {
 public:
  RpcRecorder(MetricShard& shard, std::string_view method_path);
  RpcRecorder(const RpcRecorder&) = delete;
  RpcRecorder& operator=(const RpcRecorder&) = delete;
  ~RpcRecorder();

  MethodCells& method() { return method_; }

  // The first ending counts; what follows from it does not.
  void End(TerminationCause cause, int code);
  std::chrono::steady_clock::duration age() const {
    return std::chrono::steady_clock::now() - start_;
  }

 private:
  MetricShard& shard_;
  MethodCells& method_;
  const std::chrono::steady_clock::time_point start_;
  std::optional<TerminationCause> cause_;
  int code_ = GRPC_STATUS_INTERNAL;
};

// An RPC that was refused before it became one.
void RecordRefused(MetricShard& shard, std::string_view method_path, RejectReason reason,
                   grpc_status_code code);

}  // namespace lanekeeper

// The numbers of one RPC: counts it as started when made, settles everything in its destructor,
// exactly once. An RPC that ends without a cause is our own bug and says so. The RPC's thread only.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/grpc/status.h"
#include "proxy/observe/metric_shard.h"

namespace lanekeeper {

class RpcRecorder {
 public:
  // The clock is the loop's.
  RpcRecorder(MetricShard& shard, const LoopClock& clock, std::string_view method_path);
  RpcRecorder(const RpcRecorder&) = delete;
  RpcRecorder& operator=(const RpcRecorder&) = delete;
  ~RpcRecorder();

  MethodCells& method() { return method_; }

  // The first ending counts; what follows from it does not.
  void End(TerminationCause cause, int code);
  bool ended() const { return cause_.has_value(); }
  std::chrono::nanoseconds age() const { return std::chrono::nanoseconds(clock_.now() - start_); }
  // How it ended.
  TerminationCause cause() const { return cause_.value_or(TerminationCause::kInternal); }
  int code() const { return code_; }

 private:
  MetricShard& shard_;
  MethodCells& method_;
  const LoopClock& clock_;
  const Instant start_;
  std::optional<TerminationCause> cause_;
  int code_ = static_cast<int>(StatusCode::kInternal);
};

// An RPC that was refused before it became one.
void RecordRefused(MetricShard& shard, std::string_view method_path, RejectReason reason,
                   StatusCode code);

}  // namespace lanekeeper

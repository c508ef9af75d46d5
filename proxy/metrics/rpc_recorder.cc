#include "proxy/metrics/rpc_recorder.h"

#include <algorithm>

namespace lanekeeper {
namespace {

size_t CodeIndex(grpc_status_code code) {
  const auto index = static_cast<size_t>(code);
  return index < kUnknownStatusCode ? index : kUnknownStatusCode;
}

}  // namespace

RpcRecorder::RpcRecorder(MetricShard& shard, std::string_view method_path)
    : shard_(shard),
      method_(shard.ForMethod(method_path)),
      start_(std::chrono::steady_clock::now()) {
  method_.started.Add(1);
  shard_.streams_open.Add(1);
}

RpcRecorder::~RpcRecorder() {
  const auto duration = std::chrono::steady_clock::now() - start_;
  const double seconds = std::chrono::duration<double>(duration).count();
  const auto* bound = std::lower_bound(kHandlingBuckets.begin(), kHandlingBuckets.end(), seconds);
  method_.handling_buckets[static_cast<size_t>(bound - kHandlingBuckets.begin())].Add(1);
  method_.handling_nanoseconds.Add(
      std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count());
  method_.handled[CodeIndex(code_)].Add(1);
  shard_.terminated[static_cast<size_t>(cause_.value_or(TerminationCause::kInternal))].Add(1);
  shard_.streams_open.Add(-1);
}

void RpcRecorder::End(TerminationCause cause, grpc_status_code code) {
  if (cause_) return;
  cause_ = cause;
  code_ = code;
}

void RecordRefused(MetricShard& shard, std::string_view method_path, RejectReason reason,
                   grpc_status_code code) {
  MethodCells& method = shard.ForMethod(method_path);
  method.started.Add(1);
  method.handled[CodeIndex(code)].Add(1);
  shard.rejected[static_cast<size_t>(reason)].Add(1);
}

}  // namespace lanekeeper

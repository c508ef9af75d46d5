#include "proxy/observe/rpc_recorder.h"

namespace lanekeeper {
namespace {

size_t CodeIndex(int code) {
  const auto index = static_cast<size_t>(code);
  return index < kUnknownStatusCode ? index : kUnknownStatusCode;
}

}  // namespace

RpcRecorder::RpcRecorder(MetricShard& shard, const LoopClock& clock, std::string_view method_path)
    : shard_(shard), method_(shard.ForMethod(method_path)), clock_(clock), start_(clock.now()) {
  method_.started.Add(1);
  shard_.streams_open.Add(1);
}

RpcRecorder::~RpcRecorder() {
  method_.handling.Observe(age());
  method_.handled[CodeIndex(code_)].Add(1);
  shard_.terminated[static_cast<size_t>(cause())].Add(1);
  shard_.streams_open.Add(-1);
}

void RpcRecorder::End(TerminationCause cause, int code) {
  if (cause_) return;
  cause_ = cause;
  code_ = code;
}

void RecordRefused(MetricShard& shard, std::string_view method_path, RejectReason reason,
                   StatusCode code) {
  MethodCells& method = shard.ForMethod(method_path);
  method.started.Add(1);
  method.handled[CodeIndex(static_cast<int>(code))].Add(1);
  shard.rejected[static_cast<size_t>(reason)].Add(1);
}

}  // namespace lanekeeper

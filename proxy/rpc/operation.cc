#include "proxy/rpc/operation.h"

#include <spdlog/spdlog.h>

#include <cassert>

#include "proxy/rpc/contract.h"
#include "proxy/threads/core_context.h"

namespace lanekeeper {

Operation::~Operation() { assert(!in_flight_ && "freed while core still holds its tag"); }

bool Operation::Start(grpc_call* call, std::span<const grpc_op> ops) {
  if (in_flight_) {
    ReportContractViolation(*metrics_.violations, metrics_.name);
    return false;
  }
  if (!StartAnother(call, ops)) {
    ok_ = false;
    return false;
  }
  in_flight_ = true;
  if (metrics_.recorder != nullptr) metrics_.recorder->Started();
  return true;
}

bool Operation::StartAnother(grpc_call* call, std::span<const grpc_op> ops) {
  const grpc_call_error error = CoreContext::StartBatch(call, ops, tag());
  if (error == GRPC_CALL_OK) return true;
  spdlog::error("core refused a batch on lane {}: {}", metrics_.name,
                grpc_call_error_to_string(error));
  return false;
}

void Operation::ReportTo(LaneRecorder& recorder) {
  if (metrics_.recorder == &recorder) return;
  if (in_flight_ && metrics_.recorder != nullptr) metrics_.recorder->Completed();
  metrics_.recorder = &recorder;
  if (in_flight_) recorder.Started();
}

void Operation::StopReporting() {
  LaneRecorder* const recorder = std::exchange(metrics_.recorder, nullptr);
  if (in_flight_ && recorder != nullptr) recorder->Completed();
}

void Operation::OnComplete(bool ok) {
  in_flight_ = false;
  ok_ = ok;
  if (metrics_.recorder != nullptr) metrics_.recorder->Completed();
  // The waiter may destroy this object: nothing may follow.
  if (waiter_) std::exchange(waiter_, {}).resume();
}

}  // namespace lanekeeper

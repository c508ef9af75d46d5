// One lane of a call: a place where at most one batch of operations is in flight at a time.
// Lives in the call it belongs to; started and awaited on the thread of the RPC's loop. It ends
// when core hands its tag back, which core does for every batch it accepted, at the latest when the
// call ends.
#pragma once

#include <grpc/grpc.h>

#include <coroutine>
#include <span>
#include <utility>

#include "proxy/metrics/cell.h"
#include "proxy/metrics/lane_recorder.h"
#include "proxy/threads/completion.h"

namespace lanekeeper {

// What a lane reports to: whose numbers move with it.
struct LaneMetrics {
  const char* name;        // for the log
  LaneRecorder* recorder;  // null for lanes that are not counted
  Cell* violations;        // of the thread that runs the RPC
};

class Operation : public Completion {
 public:
  explicit Operation(LaneMetrics metrics) : metrics_(metrics) {}
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  virtual ~Operation();

  // Hands the batch to core. A batch that core refuses counts as completed and failed. Whether it
  // is in flight now.
  bool Start(grpc_call* call, std::span<const grpc_op> ops);

  // Whom the next batch reports to. What is in flight counts as completed there, and as started
  // here.
  void ReportTo(LaneRecorder& recorder);

  // From now on to nobody: what is in flight counts as completed. For a call that is over, whose
  // place in the recorder another takes.
  void StopReporting();

  bool in_flight() const { return in_flight_; }
  bool ok() const { return ok_; }

  // Awaiting yields ok(): whether the batch did what it was asked.
  struct Awaiter {
    Operation& operation;
    bool await_ready() const noexcept { return !operation.in_flight_; }
    void await_suspend(std::coroutine_handle<> waiter) noexcept { operation.waiter_ = waiter; }
    bool await_resume() const noexcept { return operation.ok_; }
  };
  Awaiter operator co_await() noexcept { return {*this}; }

  // For a waiter that may be resumed by something else as well.
  void SetWaiter(std::coroutine_handle<> waiter) { waiter_ = waiter; }

  void OnComplete(bool ok) override;

 protected:
  // In OnComplete, instead of completing: goes on with another batch. False if core refuses it.
  bool StartAnother(grpc_call* call, std::span<const grpc_op> ops);

 private:
  LaneMetrics metrics_;
  std::coroutine_handle<> waiter_;
  bool in_flight_ = false;
  bool ok_ = false;
};

}  // namespace lanekeeper

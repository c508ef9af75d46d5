// Calls that fail by themselves, on the thread that starts their operation: those of a channel that
// leads nowhere. And operations that end on another thread: watches of that channel.
#pragma once

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>

#include <deque>
#include <span>

#include "proxy/lifecycle/grpc_runtime.h"
#include "proxy/threads/completion.h"
#include "proxy/threads/core_context.h"

namespace lanekeeper {

class Counted final : public Completion {
 public:
  int completed = 0;
  bool ok = false;

 protected:
  void OnComplete(bool with) override {
    ++completed;
    ok = with;
  }
};

class LameCalls {
 public:
  LameCalls()
      : queue_(grpc_completion_queue_create_for_next(nullptr)),
        credentials_(grpc_insecure_credentials_create()),
        watched_(grpc_channel_create("unix:///nowhere", credentials_, nullptr)),
        lame_(grpc_lame_client_channel_create("nowhere", GRPC_STATUS_UNAVAILABLE, "lame")) {}
  LameCalls(const LameCalls&) = delete;
  LameCalls& operator=(const LameCalls&) = delete;
  ~LameCalls() {
    for (Call& call : calls_) {
      grpc_metadata_array_destroy(&call.trailers);
      grpc_slice_unref(call.details);
      grpc_call_unref(call.call);
    }
    grpc_channel_destroy(lame_);
    grpc_channel_destroy(watched_);
    grpc_channel_credentials_release(credentials_);
    grpc_completion_queue_shutdown(queue_);
    while (Next().type != GRPC_QUEUE_SHUTDOWN) {
    }
    grpc_completion_queue_destroy(queue_);
  }

  grpc_completion_queue* queue() const { return queue_; }

  // Completes on the calling thread.
  void StartHere(Completion& completion) { StartHere(completion, queue_); }
  void StartHere(Completion& completion, grpc_completion_queue* queue) {
    Call& call = calls_.emplace_back();
    call.call = grpc_channel_create_call(lame_, nullptr, GRPC_PROPAGATE_DEFAULTS, queue,
                                         grpc_slice_from_static_string("/lame"), nullptr,
                                         gpr_inf_future(GPR_CLOCK_REALTIME), nullptr);
    grpc_metadata_array_init(&call.trailers);
    grpc_op op{};
    op.op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    op.data.recv_status_on_client.trailing_metadata = &call.trailers;
    op.data.recv_status_on_client.status = &call.status;
    op.data.recv_status_on_client.status_details = &call.details;
    CoreContext::StartBatch(call.call, {&op, 1}, completion.tag());
  }
  // Completes on a thread of core's, in so many milliseconds.
  void StartElsewhere(Completion& completion, int milliseconds) {
    StartElsewhere(completion, milliseconds, queue_);
  }
  void StartElsewhere(Completion& completion, int milliseconds, grpc_completion_queue* queue) {
    const gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                               gpr_time_from_millis(milliseconds, GPR_TIMESPAN));
    grpc_channel_watch_connectivity_state(watched_, GRPC_CHANNEL_IDLE, deadline, queue,
                                          completion.tag());
  }

  grpc_event Next() const { return NextOf(queue_, gpr_inf_future(GPR_CLOCK_REALTIME)); }
  grpc_event NextAtHand() const { return NextOf(queue_, gpr_inf_past(GPR_CLOCK_REALTIME)); }
  static grpc_event NextOf(grpc_completion_queue* queue, gpr_timespec until) {
    return grpc_completion_queue_next(queue, until, nullptr);
  }

 private:
  struct Call {
    grpc_call* call = nullptr;
    grpc_metadata_array trailers{};
    grpc_status_code status = GRPC_STATUS_OK;
    grpc_slice details = grpc_empty_slice();
  };

  const GrpcRuntime grpc_;
  grpc_completion_queue* const queue_;
  grpc_channel_credentials* const credentials_;
  grpc_channel* const watched_;
  grpc_channel* const lame_;
  std::deque<Call> calls_;
};

}  // namespace lanekeeper

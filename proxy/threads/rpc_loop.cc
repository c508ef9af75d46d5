#include "proxy/threads/rpc_loop.h"

namespace lanekeeper {
namespace {

// A busy queue may never run dry; after so many events those who wait for that go on all the same.
constexpr int kEventsBeforeSettled = 64;

}  // namespace

void RpcLoop::Run(const bool* stop) {
  const gpr_timespec forever = gpr_inf_future(GPR_CLOCK_REALTIME);
  const gpr_timespec at_once = gpr_inf_past(GPR_CLOCK_REALTIME);
  int events = 0;
  while (stop == nullptr || !*stop) {
    const bool settling = !settling_.alone();
    const grpc_event event =
        grpc_completion_queue_next(queue_, settling ? at_once : forever, nullptr);
    if (event.type == GRPC_QUEUE_SHUTDOWN) return;
    if (event.type == GRPC_OP_COMPLETE) {
      static_cast<Completion*>(event.tag)->OnComplete(event.success != 0);
    }
    if (settling && (event.type == GRPC_QUEUE_TIMEOUT || ++events >= kEventsBeforeSettled)) {
      events = 0;
      ResumeSettled();
    }
  }
}

void RpcLoop::ResumeSettled() {
  // Only those who wait now: one that is resumed may wait again, and must see the queue polled first.
  Link now;
  now.InsertBefore(settling_);
  settling_.Leave();
  while (!now.alone()) {
    auto* settle = static_cast<Settle*>(now.next);
    settle->Leave();
    settle->operation_.SetWaiter({});
    settle->waiter_.resume();
  }
}

void RpcLoop::Link::Leave() {
  previous->next = next;
  next->previous = previous;
  previous = next = this;
}

void RpcLoop::Link::InsertBefore(Link& other) {
  previous = other.previous;
  next = &other;
  previous->next = this;
  other.previous = this;
}

void RpcLoop::Settle::await_suspend(std::coroutine_handle<> waiter) noexcept {
  waiter_ = waiter;
  operation_.SetWaiter(waiter);
  InsertBefore(loop_.settling_);
}

}  // namespace lanekeeper

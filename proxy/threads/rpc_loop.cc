#include "proxy/threads/rpc_loop.h"

namespace lanekeeper {
namespace {

// A busy queue may never run dry; after so many events those who wait for that go on all the same.
constexpr int kEventsBeforeRest = 64;

}  // namespace

void RpcLoop::Run(const bool* stop) {
  int events = 0;
  while (stop == nullptr || !*stop) {
    const grpc_event event = Next();
    if (event.type == GRPC_QUEUE_SHUTDOWN) break;
    if (event.type == GRPC_OP_COMPLETE) {
      static_cast<Completion*>(event.tag)->OnComplete(event.success != 0);
    }
    if (event.type == GRPC_QUEUE_TIMEOUT || ++events >= kEventsBeforeRest) {
      events = 0;
      AtRest();
    }
  }
  writes_.Release();
}

// Does not block while someone waits for the queue to run dry. When it may block it holds no writes
// back: those that core makes meanwhile (acknowledgements, window updates) have nobody to push
// them.
grpc_event RpcLoop::Next() {
  const bool may_block = settling_.alone() && !writes_.holds_anything();
  if (may_block) writes_.Release();
  const gpr_timespec deadline =
      may_block ? gpr_inf_future(GPR_CLOCK_REALTIME) : gpr_inf_past(GPR_CLOCK_REALTIME);
  const grpc_event event = grpc_completion_queue_next(queue_, deadline, nullptr);
  if (coalesce_) writes_.Hold();
  return event;
}

void RpcLoop::AtRest() {
  writes_.Push();
  ResumeSettled();
}

void RpcLoop::ResumeSettled() {
  // Only those who wait now: one that is resumed may wait again, and must see the queue polled
  // first.
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

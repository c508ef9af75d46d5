#include "proxy/threads/rpc_loop.h"

namespace lanekeeper {
namespace {

// A busy queue may never run dry: after so many events held writes leave all the same,
constexpr uint64_t kEventsBeforePush = 64;
// and after so many those who wait for it to run dry go on. The queue is first in, first out, and
// what has arrived for one RPC comes behind what was there before: with less patience than RPCs are
// under way, each would go on just before it saw the rest of what is at hand.
constexpr uint64_t kEventsBeforeSettled = 1024;

}  // namespace

void RpcLoop::Run(const bool* stop) {
  while (stop == nullptr || !*stop) {
    const grpc_event event = Next();
    if (event.type == GRPC_QUEUE_SHUTDOWN) break;
    if (event.type == GRPC_OP_COMPLETE) {
      static_cast<Completion*>(event.tag)->OnComplete(event.success != 0);
    }
    const bool dry = event.type == GRPC_QUEUE_TIMEOUT;
    if (dry || polls_ % kEventsBeforePush == 0) AtRest(dry);
  }
  writes_.Release();
}

// Does not block while someone waits for the queue to run dry. When it may block it holds no writes
// back: those that core makes meanwhile (acknowledgements, window updates) have nobody to push
// them.
grpc_event RpcLoop::Next() {
  const bool may_block = settling_.alone() && !writes_.holds_anything();
  if (may_block) writes_.Release();
  const grpc_event event = grpc_completion_queue_next(queue_, WhenToWake(may_block), nullptr);
  ++polls_;
  clock_.Tick();
  if (coalesce_) writes_.Hold();
  return event;
}

gpr_timespec RpcLoop::WhenToWake(bool may_block) const {
  if (!may_block) return gpr_inf_past(GPR_CLOCK_MONOTONIC);
  gpr_timespec time = gpr_inf_future(GPR_CLOCK_MONOTONIC);
  for (const Link& list : delayed_) {
    if (!list.alone()) time = gpr_time_min(time, static_cast<const Delayed*>(list.next)->time_);
  }
  return time;
}

void RpcLoop::AtRest(bool dry) {
  writes_.Push();
  for (Link& list : delayed_) RunDelayed(list);
  ResumeSettled(dry ? 1 : kEventsBeforeSettled);
}

// Those who have seen the queue polled so often. One that is resumed and waits again has not.
void RpcLoop::ResumeSettled(uint64_t polls) {
  while (!settling_.alone()) {
    auto* settle = static_cast<Settle*>(settling_.next);
    if (polls_ - settle->since_ < polls) return;
    settle->Leave();
    settle->operation_.SetWaiter({});
    settle->waiter_.resume();
  }
}

void RpcLoop::RunDelayed(Link& list) {
  if (list.alone()) return;
  const gpr_timespec now = gpr_now(GPR_CLOCK_MONOTONIC);
  while (!list.alone()) {
    auto* oldest = static_cast<Delayed*>(list.next);
    if (gpr_time_cmp(oldest->time_, now) > 0) return;
    oldest->CallOff();
    oldest->OnTime();
  }
}

void RpcLoop::Delayed::Schedule(RpcLoop& loop, Delay delay) {
  const auto index = static_cast<size_t>(delay);
  const gpr_timespec after = gpr_time_from_millis(kDelays[index].count(), GPR_TIMESPAN);
  time_ = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), after);
  InsertBefore(loop.delayed_[index]);
}

void RpcLoop::LagProbe::OnTime() {
  const gpr_timespec late = gpr_time_sub(gpr_now(GPR_CLOCK_MONOTONIC), due());
  loop_.metrics_.loop_lag.Observe(std::chrono::seconds(late.tv_sec) +
                                  std::chrono::nanoseconds(late.tv_nsec));
  Schedule(loop_, Delay::kProbe);
}

void RpcLoop::Moment::await_suspend(std::coroutine_handle<> waiter) noexcept {
  waiter_ = waiter;
  operation_.SetWaiter(waiter);
  Schedule(loop_, Delay::kShort);
}

void RpcLoop::Moment::OnTime() {
  operation_.SetWaiter({});
  waiter_.resume();
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
  since_ = loop_.polls_;
  operation_.SetWaiter(waiter);
  InsertBefore(loop_.settling_);
}

}  // namespace lanekeeper

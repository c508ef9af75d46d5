#include "proxy/threads/rpc_loop.h"

#include "proxy/threads/one_tag.h"

namespace lanekeeper {
namespace {

// A busy queue may never run dry: after so many events held writes leave all the same,
constexpr uint64_t kEventsBeforePush = 64;
// and after so many those who wait for it to run dry go on. The queue is first in, first out, and
// what has arrived for one RPC comes behind what was there before: with less patience than RPCs are
// under way, each would go on just before it saw the rest of what is at hand.
constexpr uint64_t kEventsBeforeSettled = 1024;

}  // namespace

void RpcLoop::Run() {
  while (TakeStep(gpr_inf_future(GPR_CLOCK_MONOTONIC)) != Step::kShutdown) {
  }
}

RpcLoop::Step RpcLoop::TakeStep(gpr_timespec until) {
  const grpc_event event = Next(until);
  if (event.type == GRPC_QUEUE_SHUTDOWN) {
    writes_.Release();
    return Step::kShutdown;
  }
  if (event.type == GRPC_OP_COMPLETE) {
    Completion* const completion = CompletionOf(event);
    completion->set_ok(event.success != 0);
    Deliver(*completion);
  }
  const bool dry = event.type == GRPC_QUEUE_TIMEOUT;
  if (dry || polls_ % kEventsBeforePush == 0) AtRest(dry);
  return dry ? Step::kDry : Step::kEvent;
}

// Blocks only where nobody waits for the queue to run dry or for a turn. When it may block it holds
// no writes back: those that core makes meanwhile (acknowledgements, window updates) have nobody to
// push them.
grpc_event RpcLoop::Next(gpr_timespec until) {
  const bool block = may_block();
  gpr_timespec deadline = gpr_inf_past(GPR_CLOCK_MONOTONIC);
  if (block) {
    writes_.Release();
    deadline = WhenToWake(until);
    waits_.Begin();
  }
  const grpc_event event = grpc_completion_queue_next(queue_, deadline, nullptr);
  if (block) waits_.End();
  ++polls_;
  clock_.Tick();
  writes_.Hold();
  return event;
}

gpr_timespec RpcLoop::WhenToWake(gpr_timespec until) const {
  for (const Link& list : delayed_) {
    if (!list.alone()) until = gpr_time_min(until, static_cast<const Delayed*>(list.next)->due());
  }
  if (const Instant retry = writes_.retry_at(); retry != 0) {
    until = gpr_time_min(until, gpr_time_from_nanos(retry, GPR_CLOCK_MONOTONIC));
  }
  return until;
}

void RpcLoop::Deliver(Errand& errand) {
  Mailbox* const mailbox = errand.mailbox();
  if (mailbox == nullptr || mailbox == Mailbox::OfThisThread()) {
    errand.Do();
    return;
  }
  errand.Join(mailbox->errands());
  Await(*mailbox);
}

void RpcLoop::Await(Mailbox& mailbox) {
  if (mailbox.alone()) mailbox.Join(with_errands_);
}

Mailbox* RpcLoop::NextWithErrands() {
  if (with_errands_.alone()) return nullptr;
  auto* const mailbox = static_cast<Mailbox*>(with_errands_.next);
  mailbox->Leave();
  return mailbox;
}

void RpcLoop::DoErrands(Mailbox& mailbox) {
  while (!mailbox.empty()) {
    auto* const errand = static_cast<Errand*>(mailbox.errands().next);
    errand->Leave();
    errand->Do();
  }
}

void RpcLoop::AtRest(bool dry) {
  // Those who wait for their turn may have more to write.
  if (!dry || with_errands_.alone()) writes_.Push();
  for (Link& list : delayed_) RunDelayed(list);
  ResumeSettled(dry ? 1 : kEventsBeforeSettled);
}

// Those who have seen the queue polled so often. One that is resumed and waits again has not.
void RpcLoop::ResumeSettled(uint64_t polls) {
  while (!settling_.alone()) {
    auto* settle = static_cast<Settle*>(settling_.next);
    if (polls_ - settle->since() < polls) return;
    settle->Leave();
    Deliver(*settle);
  }
}

void RpcLoop::RunDelayed(Link& list) {
  if (list.alone()) return;
  const gpr_timespec now = gpr_now(GPR_CLOCK_MONOTONIC);
  while (!list.alone()) {
    auto* oldest = static_cast<Delayed*>(list.next);
    if (gpr_time_cmp(oldest->due(), now) > 0) return;
    oldest->Leave();
    Deliver(*oldest);
  }
}

void RpcLoop::Delayed::Schedule(RpcLoop& loop, Delay delay) {
  const auto index = static_cast<size_t>(delay);
  const gpr_timespec after = gpr_time_from_millis(kDelays[index].count(), GPR_TIMESPAN);
  due_ = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), after);
  Join(loop.delayed_[index]);
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

void RpcLoop::Settle::await_suspend(std::coroutine_handle<> waiter) noexcept {
  waiter_ = waiter;
  since_ = loop_.polls_;
  operation_.SetWaiter(waiter);
  Join(loop_.settling_);
}

void RpcLoop::Settle::Do() {
  operation_.SetWaiter({});
  waiter_.resume();
}

}  // namespace lanekeeper

#include "proxy/threads/rpc_loop.h"

namespace lanekeeper {
namespace {

// What one event brings about may never end: after so many, others get their turn and held writes
// leave all the same,
constexpr uint64_t kEventsPerRound = 128;
// and after so many the queue is polled again.
constexpr uint64_t kEventsBeforePoll = 1024;
// What so many RPCs need stays in a CPU's caches while they do all that can be done at once.
constexpr size_t kEventsPerGroup = 16;

}  // namespace

void RpcLoop::Run() {
  TurnBegins();
  while (TakeStep(gpr_inf_future(GPR_CLOCK_MONOTONIC)) != Step::kShutdown) {
  }
  TurnEnds();
}

RpcLoop::Step RpcLoop::TakeStep(gpr_timespec until) {
  const Step polled = completed_.empty() || poll_due() ? Poll(until) : Step::kEvent;
  const bool dry = polled == Step::kDry && completed_.empty();
  CatchUp();
  if (polled == Step::kShutdown) {
    writes_.Release();
    return polled;
  }
  if (dry || events_ - events_at_rest_ >= kEventsPerRound) AtRest(dry);
  return dry ? Step::kDry : Step::kEvent;
}

// The queue of a busy loop may be filled by other threads meanwhile, and sockets too.
bool RpcLoop::poll_due() const { return events_ - events_at_poll_ >= kEventsBeforePoll; }

// Blocks only where nobody waits for the queue to run dry or for a turn. When it may block it holds
// no writes back: those that core makes meanwhile (acknowledgements, window updates) have nobody to
// push them.
RpcLoop::Step RpcLoop::Poll(gpr_timespec until) {
  core_.Flush();
  const bool block = may_block();
  gpr_timespec deadline = gpr_inf_past(GPR_CLOCK_MONOTONIC);
  if (block) {
    writes_.Release();
    deadline = WhenToWake(until);
    completed_.WaitBegins();
    waits_.Begin();
  }
  const grpc_event event = grpc_completion_queue_next(queue_, deadline, nullptr);
  if (block) {
    waits_.End();
    completed_.WaitEnds();
  }
  clock_.Tick();
  writes_.Hold();
  events_at_poll_ = ++events_;
  if (event.type == GRPC_QUEUE_TIMEOUT) return Step::kDry;
  if (event.type == GRPC_QUEUE_SHUTDOWN) return Step::kShutdown;
  completed_.PutFirst(event);
  return Step::kEvent;
}

void RpcLoop::CatchUp() {
  const uint64_t enough = events_ + kEventsPerRound;
  Flush();
  while (events_ < enough) {
    if (completed_.group_empty() && ResumeSettledOf(Mailbox::OfThisThread())) Flush();
    if (completed_.empty()) return;
    completed_.BeginGroup(kEventsPerGroup);
    while (!completed_.group_empty()) {
      ++events_;
      Deliver(completed_.Pop());
    }
    Flush();
  }
}

void RpcLoop::Flush() {
  core_.Flush();
  clock_.Tick();
}

// Those who have waited until nothing more is at hand; whether there were any.
bool RpcLoop::ResumeSettledOf(const Mailbox* mailbox) {
  Link waiting;
  waiting.TakeAll(settling_);
  bool resumed = false;
  while (!waiting.alone()) {
    auto* const settle = static_cast<Settle*>(waiting.next);
    settle->Leave();
    if (settle->mailbox() == mailbox) {
      Deliver(*settle);
      resumed = true;
    } else {
      settle->Join(settling_);
    }
  }
  return resumed;
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
  events_at_rest_ = events_;
  for (Link& list : delayed_) RunDelayed(list);
  while (!settling_.alone()) {
    auto* const settle = static_cast<Settle*>(settling_.next);
    settle->Leave();
    Deliver(*settle);
  }
  // Those who wait for their turn may have more to write, and so may who gets what has completed.
  if (dry && others_wait()) return;
  core_.Flush();
  if (!dry || completed_.empty()) writes_.Push();
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
  operation_.SetWaiter(waiter);
  Join(loop_.settling_);
}

void RpcLoop::Settle::Do() {
  operation_.SetWaiter({});
  waiter_.resume();
}

}  // namespace lanekeeper

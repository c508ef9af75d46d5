// Runs RPCs: polls one completion queue and sees to it that whoever waits for what came out of it
// goes on, in the thread that it belongs to (errand.h). Borrows the queue and the shard.
// One thread at a time: in kind `user` the worker that calls Run, in kind `kernel` the thread of
// the crew whose turn it is.
#pragma once

#include <grpc/grpc.h>
#include <grpc/support/time.h>

#include <array>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <optional>

#include "proxy/metrics/metric_shard.h"
#include "proxy/rpc/operation.h"
#include "proxy/threads/block_pool.h"
#include "proxy/threads/core_context.h"
#include "proxy/threads/errand.h"
#include "proxy/threads/local_completions.h"
#include "proxy/threads/loop_clock.h"
#include "proxy/threads/send_coalescer.h"
#include "proxy/threads/wait_clock.h"

namespace lanekeeper {

class RpcLoop {
 public:
  RpcLoop(grpc_completion_queue* queue, MetricShard& metrics)
      : queue_(queue), completed_(queue), metrics_(metrics) {}
  RpcLoop(const RpcLoop&) = delete;
  RpcLoop& operator=(const RpcLoop&) = delete;

  grpc_completion_queue* queue() const { return queue_; }
  MetricShard& metrics() { return metrics_; }
  // When the event that is being handled came.
  const LoopClock& clock() const { return clock_; }
  // How long it has waited for something to happen, in all. Any thread.
  std::chrono::nanoseconds waited() const { return waits_.total(); }

  // From now on: how late the loop does what is due, twice a second. Before the first step.
  void MeasureLag() { lag_probe_.emplace(*this); }

  // Until the queue is shut down and drained.
  void Run();

  // One round of the loop: what has completed and what that brings about, or what is due when
  // nothing has. Blocks, until `until`, only if nothing else is to be done.
  enum class Step { kEvent, kDry, kShutdown };
  Step TakeStep(gpr_timespec until);

  bool may_block() const {
    return completed_.empty() && settling_.alone() && with_errands_.alone() &&
           !writes_.holds_anything();
  }

  // For loops that several threads run in turn. The mailbox, if any, that has waited longest, no
  // longer among those that wait.
  Mailbox* NextWithErrands();
  bool others_wait() const { return !with_errands_.alone(); }
  // Puts a mailbox among those that wait for their turn.
  void Await(Mailbox& mailbox);
  // Does what is in the mailbox of the calling thread.
  static void DoErrands(Mailbox& mailbox);
  // Delivers what has completed, and does what that or the calling thread's errands have brought
  // about, as far as it is at hand without a look at the queue; for a while.
  void CatchUp();
  // Whether the queue has to be polled although others wait for their turn.
  bool poll_due() const;
  // Around the turn of a thread.
  void TurnBegins() {
    writes_.Hold();
    completed_.Open();
    core_.Enter();
    blocks_.Open();
  }
  void TurnEnds() {
    blocks_.Close();
    core_.Leave();
    completed_.Close();
    writes_.LetGo();
  }

  // Awaited, gives an operation the chance to complete with what has already arrived: resumes when
  // it completes or when nothing more is at hand, whichever is first.
  class Settle final : public Errand {
   public:
    Settle(RpcLoop& loop, Operation& operation) : loop_(loop), operation_(operation) {}
    bool await_ready() const noexcept { return !operation_.in_flight(); }
    void await_suspend(std::coroutine_handle<> waiter) noexcept;
    void await_resume() noexcept { Leave(); }

   private:
    void Do() override;

    RpcLoop& loop_;
    Operation& operation_;
    std::coroutine_handle<> waiter_;
  };

  // Something to be done after a while unless it is called off before. There are few lengths of
  // "a while", so that in each list the oldest is always the next. The loop's thread only.
  enum class Delay { kShort, kProbe, kLong };
  static constexpr std::array<std::chrono::milliseconds, 3> kDelays = {
      std::chrono::milliseconds(50), std::chrono::milliseconds(500),
      std::chrono::milliseconds(2000)};

  class Delayed : public Errand {
   public:
    void Schedule(RpcLoop& loop, Delay delay);
    void CallOff() { Leave(); }
    gpr_timespec due() const { return due_; }

   protected:
    ~Delayed() = default;

    virtual void OnTime() = 0;

   private:
    void Do() final { OnTime(); }

    gpr_timespec due_{};
  };

  // Measures how late it is called.
  class LagProbe final : public Delayed {
   public:
    explicit LagProbe(RpcLoop& loop) : loop_(loop) { Schedule(loop, Delay::kProbe); }

   private:
    void OnTime() override;

    RpcLoop& loop_;
  };

  // Awaited, resumes when the operation completes or after Delay::kShort, whichever is first.
  class Moment final : public Delayed {
   public:
    Moment(RpcLoop& loop, Operation& operation) : loop_(loop), operation_(operation) {}
    bool await_ready() const noexcept { return !operation_.in_flight(); }
    void await_suspend(std::coroutine_handle<> waiter) noexcept;
    void await_resume() noexcept { CallOff(); }

   private:
    void OnTime() override;

    RpcLoop& loop_;
    Operation& operation_;
    std::coroutine_handle<> waiter_;
  };

 private:
  Step Poll(gpr_timespec until);
  gpr_timespec WhenToWake(gpr_timespec until) const;
  void Deliver(Errand& errand);
  void RunDelayed(Link& list);
  // Nothing more is at hand, or enough has been done since.
  void AtRest(bool dry);
  void Flush();
  bool ResumeSettledOf(const Mailbox* mailbox);

  grpc_completion_queue* const queue_;
  LocalCompletions completed_;
  BlockPool blocks_;
  CoreContext core_;
  MetricShard& metrics_;
  LoopClock clock_;
  SendCoalescer writes_;
  WaitClock waits_;
  uint64_t events_ = 0;                       // delivered, or none found
  uint64_t events_at_poll_ = 0;               // when the queue was last polled
  uint64_t events_at_rest_ = 0;               // when it was last at rest
  Link with_errands_;                         // mailboxes that are not empty, oldest first
  Link settling_;                             // oldest first
  std::array<Link, kDelays.size()> delayed_;  // oldest first
  std::optional<LagProbe> lag_probe_;
};

}  // namespace lanekeeper

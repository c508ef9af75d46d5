// Runs RPCs: polls one completion queue and resumes whoever waits for what came out of it.
// A worker's loop runs many user-level threads; a kernel RPC thread's loop runs its one RPC.
// Borrows the queue and the shard. Everything here happens on the one thread that calls Run.
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
#include "proxy/threads/loop_clock.h"
#include "proxy/threads/send_coalescer.h"

namespace lanekeeper {

class RpcLoop {
 public:
  // Whether writes are joined while there is more to do; for a loop that runs many RPCs.
  enum class Writes { kAtOnce, kCoalesced };
  RpcLoop(grpc_completion_queue* queue, MetricShard& metrics, Writes writes)
      : queue_(queue), metrics_(metrics), coalesce_(writes == Writes::kCoalesced) {}
  RpcLoop(const RpcLoop&) = delete;
  RpcLoop& operator=(const RpcLoop&) = delete;

  grpc_completion_queue* queue() const { return queue_; }
  MetricShard& metrics() { return metrics_; }
  // When the event that is being handled came.
  const LoopClock& clock() const { return clock_; }

  // From now on: how late the loop does what is due, twice a second. Before Run.
  void MeasureLag() { lag_probe_.emplace(*this); }

  // Until the queue is shut down and drained, or *stop is found true after an event.
  void Run(const bool* stop = nullptr);

  // A member of a circular list that it can leave by itself; alone, it points at itself.
  struct Link {
    Link() = default;
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    bool alone() const { return next == this; }
    void Leave();
    void InsertBefore(Link& other);

    Link* previous = this;
    Link* next = this;
  };

  // Awaited, gives an operation the chance to complete with what has already arrived: resumes when
  // it completes or when the queue has nothing more without waiting, whichever is first.
  class Settle : private Link {
   public:
    Settle(RpcLoop& loop, Operation& operation) : loop_(loop), operation_(operation) {}
    bool await_ready() const noexcept { return !operation_.in_flight(); }
    void await_suspend(std::coroutine_handle<> waiter) noexcept;
    void await_resume() noexcept { Leave(); }

   private:
    friend class RpcLoop;

    RpcLoop& loop_;
    Operation& operation_;
    std::coroutine_handle<> waiter_;
    uint64_t since_ = 0;
  };

  // Something to be done after a while unless it is called off before. There are few lengths of
  // "a while", so that in each list the oldest is always the next. The loop's thread only.
  enum class Delay { kShort, kProbe, kLong };
  static constexpr std::array<std::chrono::milliseconds, 3> kDelays = {
      std::chrono::milliseconds(50), std::chrono::milliseconds(500),
      std::chrono::milliseconds(2000)};

  class Delayed : private Link {
   public:
    Delayed() = default;
    virtual ~Delayed() { CallOff(); }

    void Schedule(RpcLoop& loop, Delay delay);
    void CallOff() { Leave(); }

   protected:
    virtual void OnTime() = 0;

    gpr_timespec due() const { return time_; }

   private:
    friend class RpcLoop;

    gpr_timespec time_{};
  };

  // Measures how late it is called.
  class LagProbe final : private Delayed {
   public:
    explicit LagProbe(RpcLoop& loop) : loop_(loop) { Schedule(loop, Delay::kProbe); }

   private:
    void OnTime() override;

    RpcLoop& loop_;
  };

  // Awaited, resumes when the operation completes or after Delay::kShort, whichever is first.
  class Moment final : private Delayed {
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
  grpc_event Next();
  gpr_timespec WhenToWake(bool may_block) const;
  void RunDelayed(Link& list);
  // Nothing more is at hand, or enough has been done since: whoever waits for that gets their turn.
  void AtRest(bool dry);
  void ResumeSettled(uint64_t polls);

  grpc_completion_queue* const queue_;
  MetricShard& metrics_;
  const bool coalesce_;
  LoopClock clock_;
  SendCoalescer writes_;
  uint64_t polls_ = 0;
  Link settling_;                             // oldest first
  std::array<Link, kDelays.size()> delayed_;  // oldest first
  std::optional<LagProbe> lag_probe_;
};

}  // namespace lanekeeper

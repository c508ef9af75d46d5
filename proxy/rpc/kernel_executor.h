// Kind `kernel`: an OS thread for each RPC; see executor.h.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <vector>

#include "proxy/rpc/executor.h"

namespace lanekeeper {

class KernelExecutor final : public Executor {
 public:
  explicit KernelExecutor(EventLoop& loop);
  // After Drive has returned; ends and joins every thread.
  ~KernelExecutor() override;

  void Drive() override;
  bool Enter(Fiber& fiber, std::string_view name) override;
  void Release(Fiber& fiber) override;
  int64_t idle_threads() const override { return idle_count_.load(std::memory_order_relaxed); }

 private:
  friend class ::lanekeeper::FiberThread;

  // With the baton, until another thread has to have it; true when the loop has been stopped and
  // this one has it still.
  bool DriveOn(FiberThread& self);
  Fiber* Next(const FiberThread& self);
  void Assign(Fiber& fiber, FiberThread& self);
  // Threads that have been idle for long: renamed, later ended.
  void Tidy();
  void Dismiss(FiberThread& thread);
  void JoinLeaving();
  void CountIdle();

  EventLoop& loop_;
  // The ready fibers, sorted: those that have no thread yet, and the others.
  ReadyList fresh_;
  ReadyList bound_;
  int waiting_ = 0;    // in both
  int glance_at_ = 0;  // where so few are left, the sockets may have more that goes with them
  std::unique_ptr<FiberThread> main_;  // the worker's own thread, which has no fiber
  std::vector<std::unique_ptr<FiberThread>> threads_;
  std::deque<FiberThread*> idle_;  // the last to become idle is the first to be used
  std::vector<std::unique_ptr<FiberThread>> leaving_;
  FiberThread* holder_ = nullptr;  // of the baton
  bool hand_over_ = false;         // the holder is to end: the worker's own thread goes on
  std::atomic<int64_t> idle_count_{0};
  TimerOf<KernelExecutor, &KernelExecutor::Tidy> tidy_timer_;
};

}  // namespace lanekeeper

// Kind `kernel`: every RPC runs on an OS thread of its own, named after its method, with a queue of
// its own, its mailbox. The threads of a crew take turns on one loop: the one whose turn it is
// polls core's queue, does what is its own and puts into the others' mailboxes what is theirs; when
// nothing more is at hand, the next with mail has its turn. So one thread of a crew runs at a time
// and core is never contended: when each RPC's thread waited in core for a queue of core's, they
// woke each other 15 times per RPC (proxy/README.md).
// Threads are pooled: an idle one takes the next RPC, and ends after a while without. One more, the
// acceptor, takes none and has the turn while there is no other.
#pragma once

#include <atomic>
#include <list>
#include <mutex>
#include <vector>

#include "proxy/threads/cpu_placement.h"
#include "proxy/threads/worker.h"

namespace lanekeeper {

class Crew final : public Worker {
 public:
  Crew(int index, const WorkerContext& context);
  ~Crew() override;

  int64_t idle_threads() const override;

 private:
  class Thread;

  void StartThreads() override;
  bool JoinThreads() override;

  // The following on the thread whose turn it is.
  void OnCall(IncomingCall incoming) override;
  // Who takes the call: the thread whose turn it is if it is idle, another idle one, or a new one;
  // null when the system has none for us.
  Thread* ThreadForCall();
  void PassTurn();
  // The same, and the thread waits for a call from now on.
  void PassTurnAndRest(Thread& thread);
  void EndAll();
  // Whether who waits for the network may be on another CPU after that; if so, not again for a
  // while.
  bool MayMove();

  // On a thread that has had no RPC for long: whether it ends. Not if it has just been given one.
  bool Retire(Thread& thread);
  bool stopping() const;

  const CpuPlacement placement_;
  Thread* acceptor_thread_ = nullptr;
  Thread* turn_ = nullptr;           // whose it is; theirs only
  Instant moved_ = 0;                // theirs only
  std::atomic<int64_t> serving_{0};  // threads that run an RPC; written by the same

  mutable std::mutex mutex_;
  std::list<Thread> threads_;
  std::vector<Thread*> idle_;   // last in, first out: the warmest stack is taken next
  std::vector<Thread*> ended_;  // to be joined
  bool stopping_ = false;
};

}  // namespace lanekeeper

// What completes on the thread that runs a loop is its own to deliver. Core would put it into the
// queue and take it out again, with a lock, a wake-up and a search each time: a quarter of what a
// message costs. So for the loop's queue, what comes up on that thread goes into a list here; what
// another thread brings about goes through core's queue, which wakes the loop.
//
// Core does not count the operations of such a queue as pending until they complete elsewhere: who
// shuts the queue down must have seen all of them end.
#pragma once

#include <grpc/grpc.h>

#include <cstddef>

#include "proxy/threads/completion.h"

namespace lanekeeper {

// Made before the first operation is started on the queue, and kept until the queue was drained;
// all its tags are Completions. Used by one thread at a time, between Open and Close.
class LocalCompletions {
 public:
  explicit LocalCompletions(grpc_completion_queue* queue);
  LocalCompletions(const LocalCompletions&) = delete;
  LocalCompletions& operator=(const LocalCompletions&) = delete;
  ~LocalCompletions();

  // From now on, what completes on the calling thread comes here.
  void Open() { of_this_thread_ = this; }
  void Close() {
    if (of_this_thread_ == this) of_this_thread_ = nullptr;
  }

  // Around a wait in core's queue: the first completion goes there all the same, and ends it.
  void WaitBegins() { waiting_ = true; }
  void WaitEnds() { waiting_ = false; }

  bool empty() const { return list_.alone() && later_.alone(); }

  // In groups: of those that are there, only so many come out of Pop for now, and all that come up
  // meanwhile. Nothing changes while the last group goes on.
  void BeginGroup(size_t count);
  bool group_empty() const { return list_.alone(); }
  // The oldest of the group. In a context of core's (core_context.h).
  Completion& Pop();
  // What came through core's queue; older than all that is here.
  void PutFirst(const grpc_event& event);

 private:
  friend struct CoreQueue;

  // False if it has to go through core's queue.
  bool Take(Completion& completion, bool ok, Completion::CoreDone done);

  static inline constinit thread_local LocalCompletions* of_this_thread_ = nullptr;

  grpc_completion_queue* const queue_;
  const bool served_;
  Link list_;   // the group's; both oldest first
  Link later_;  // behind the group, and older than what the group has brought about
  bool waiting_ = false;
};

}  // namespace lanekeeper

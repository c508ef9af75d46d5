// What a completion queue hands back: the tag of every operation we start is a Completion.
// Owned by whoever started the operation, and must outlive it. OnComplete runs once for each start,
// on the thread that made the Completion, or that polls the queue if that has no mailbox, and may
// destroy the Completion.
#pragma once

#include "proxy/threads/errand.h"

struct grpc_cq_completion;

namespace lanekeeper {

class Completion : public Errand {
 public:
  void* tag() { return this; }

  // What core said; before Do.
  void set_ok(bool ok) { ok_ = ok; }
  void Do() final { OnComplete(ok_); }

  // What core wants called before the completion is delivered, if not by its own queue.
  struct CoreDone {
    void (*function)(void* argument, grpc_cq_completion* storage) = nullptr;
    void* argument = nullptr;
    grpc_cq_completion* storage = nullptr;
  };
  void set_core_done(CoreDone done) { core_done_ = done; }
  void TellCore() const {
    if (core_done_.function != nullptr)
      core_done_.function(core_done_.argument, core_done_.storage);
  }

 protected:
  ~Completion() = default;

  virtual void OnComplete(bool ok) = 0;

 private:
  CoreDone core_done_;
  bool ok_ = false;
};

}  // namespace lanekeeper

// What a completion queue hands back: the tag of every operation we start is a Completion.
// Owned by whoever started the operation, and must outlive it. OnComplete runs once for each start,
// on the thread that polls the queue, and may destroy the Completion.
#pragma once

namespace lanekeeper {

class Completion {
 public:
  virtual void OnComplete(bool ok) = 0;

  void* tag() { return this; }

 protected:
  ~Completion() = default;
};

}  // namespace lanekeeper

// A completion queue for one thread that waits for one operation at a time, by tag, with a bound.
// What completes meanwhile is remembered.
#pragma once

#include <grpcpp/completion_queue.h>

#include <chrono>
#include <map>
#include <optional>

#include "tests/support/eventually.h"

namespace lanekeeper::testing {

class TagQueue {
 public:
  ~TagQueue() {
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  grpc::CompletionQueue* get() { return &queue_; }

  // Whether the operation did what it was asked; empty when it has not completed in time.
  std::optional<bool> Await(void* tag, std::chrono::milliseconds patience = kPatience) {
    const auto deadline = std::chrono::system_clock::now() + patience;
    for (;;) {
      if (auto done = done_.extract(tag)) return done.mapped();
      void* completed = nullptr;
      bool ok = false;
      if (queue_.AsyncNext(&completed, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT)
        return {};
      done_[completed] = ok;
    }
  }

 private:
  grpc::CompletionQueue queue_;
  std::map<void*, bool> done_;
};

}  // namespace lanekeeper::testing

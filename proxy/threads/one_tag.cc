// Two functions of core are replaced, through which each operation of a queue begins and ends
// (rpc/replaced_function.h).
#include "proxy/threads/one_tag.h"

#include <absl/status/status.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include "proxy/rpc/replaced_function.h"

namespace lanekeeper {
namespace {

// The queues of the process whose operations have one tag: an open hash table that is read without
// a lock. A queue that finds no place in it is served as core does it, only slower.
class Queues {
 public:
  void Add(grpc_completion_queue* queue) {
    std::lock_guard lock(mutex_);
    for (size_t i = 0; i < kTries; ++i) {
      std::atomic<void*>& place = PlaceOf(queue, i);
      if (place.load() != nullptr && place.load() != &left_) continue;
      place.store(queue);
      return;
    }
  }
  void Remove(grpc_completion_queue* queue) {
    std::lock_guard lock(mutex_);
    for (size_t i = 0; i < kTries; ++i) {
      // Not emptied: others may stand behind it.
      if (PlaceOf(queue, i).load() == queue) PlaceOf(queue, i).store(&left_);
    }
  }
  bool Has(grpc_completion_queue* queue) {
    for (size_t i = 0; i < kTries; ++i) {
      const void* const there = PlaceOf(queue, i).load(std::memory_order_acquire);
      if (there == queue) return true;
      if (there == nullptr) return false;
    }
    return false;
  }

 private:
  static constexpr size_t kPlaces = 1024;
  static constexpr size_t kTries = 16;

  std::atomic<void*>& PlaceOf(grpc_completion_queue* queue, size_t i) {
    return places_[(reinterpret_cast<uintptr_t>(queue) / 64 + i) % kPlaces];
  }

  std::mutex mutex_;
  char left_ = 0;
  std::array<std::atomic<void*>, kPlaces> places_{};
};

constinit Queues queues;

// Its address is the one tag.
char one_tag = 0;

// What the event that core hands out next to this thread belongs to.
thread_local Completion* given_back = nullptr;

void GiveBack(void* completion, grpc_cq_completion* storage) {
  given_back = static_cast<Completion*>(completion);
  const Completion::CoreDone done = given_back->core_done();
  done.function(done.argument, storage);
}

}  // namespace

OneTag::OneTag(grpc_completion_queue* queue) : queue_(queue) { queues.Add(queue); }

OneTag::~OneTag() { queues.Remove(queue_); }

Completion* CompletionOf(const grpc_event& event) {
  return event.tag == &one_tag ? given_back : static_cast<Completion*>(event.tag);
}

}  // namespace lanekeeper

using Done = void (*)(void* argument, grpc_cq_completion* storage);

bool grpc_cq_begin_op(grpc_completion_queue* queue, void* tag)
    LANEKEEPER_REPLACES(LANEKEEPER_NAME_CQ_BEGIN_OP);
bool OriginalBeginOp(grpc_completion_queue* queue, void* tag)
    LANEKEEPER_ORIGINAL(LANEKEEPER_NAME_CQ_BEGIN_OP);

bool grpc_cq_begin_op(grpc_completion_queue* queue, void* tag) {
  static auto* const original = LANEKEEPER_FIND(grpc_cq_begin_op, OriginalBeginOp);
  return original(queue, lanekeeper::queues.Has(queue) ? &lanekeeper::one_tag : tag);
}

void grpc_cq_end_op(grpc_completion_queue* queue, void* tag, absl::Status error, Done done,
                    void* argument, grpc_cq_completion* storage, bool internal)
    LANEKEEPER_REPLACES(LANEKEEPER_NAME_CQ_END_OP);
void OriginalEndOp(grpc_completion_queue* queue, void* tag, absl::Status error, Done done,
                   void* argument, grpc_cq_completion* storage, bool internal)
    LANEKEEPER_ORIGINAL(LANEKEEPER_NAME_CQ_END_OP);

void grpc_cq_end_op(grpc_completion_queue* queue, void* tag, absl::Status error, Done done,
                    void* argument, grpc_cq_completion* storage, bool internal) {
  static auto* const original = LANEKEEPER_FIND(grpc_cq_end_op, OriginalEndOp);
  if (!lanekeeper::queues.Has(queue)) {
    original(queue, tag, std::move(error), done, argument, storage, internal);
    return;
  }
  auto* const completion = static_cast<lanekeeper::Completion*>(tag);
  completion->set_core_done({done, argument});
  original(queue, &lanekeeper::one_tag, std::move(error), &lanekeeper::GiveBack, completion,
           storage, internal);
}

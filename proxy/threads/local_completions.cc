// Two functions of core are replaced, through which each operation of a queue begins and ends
// (rpc/replaced_function.h).
#include "proxy/threads/local_completions.h"

#include <absl/status/status.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>

#include "proxy/rpc/replaced_function.h"

namespace lanekeeper {
namespace {

// The queues of the process that are served so: an open hash table that is read without a lock. A
// queue that finds no place in it is served as core does it, only slower.
class Queues {
 public:
  bool Add(grpc_completion_queue* queue) {
    std::lock_guard lock(mutex_);
    for (size_t i = 0; i < kTries; ++i) {
      std::atomic<void*>& place = PlaceOf(queue, i);
      if (place.load() != nullptr && place.load() != &left_) continue;
      place.store(queue);
      return true;
    }
    return false;
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

}  // namespace

struct CoreQueue {
  static bool TakesLocally(grpc_completion_queue* queue, void* tag, bool ok,
                           Completion::CoreDone done) {
    LocalCompletions* const local = LocalCompletions::of_this_thread_;
    return local != nullptr && local->queue_ == queue && local->served_ &&
           local->Take(*static_cast<Completion*>(tag), ok, done);
  }
};

LocalCompletions::LocalCompletions(grpc_completion_queue* queue)
    : queue_(queue), served_(queues.Add(queue)) {}

LocalCompletions::~LocalCompletions() {
  Close();
  queues.Remove(queue_);
}

bool LocalCompletions::Take(Completion& completion, bool ok, Completion::CoreDone done) {
  if (std::exchange(waiting_, false)) return false;
  completion.set_ok(ok);
  completion.set_core_done(done);
  completion.Join(list_);
  return true;
}

void LocalCompletions::BeginGroup(size_t count) {
  if (!list_.alone() && !later_.alone()) return;
  Link& all = later_.alone() ? list_ : later_;
  Link group;
  for (size_t i = 0; i < count && !all.alone(); ++i) {
    Link& oldest = *all.next;
    oldest.Leave();
    oldest.Join(group);
  }
  if (&all == &list_) later_.TakeAll(list_);
  list_.TakeAll(group);
}

Completion& LocalCompletions::Pop() {
  auto& completion = static_cast<Completion&>(static_cast<Errand&>(*list_.next));
  completion.Leave();
  completion.TellCore();
  return completion;
}

void LocalCompletions::PutFirst(const grpc_event& event) {
  auto* const completion = static_cast<Completion*>(event.tag);
  completion->set_ok(event.success != 0);
  completion->set_core_done({});  // core has called it
  completion->Join(*list_.next);
}

}  // namespace lanekeeper

using Done = void (*)(void* argument, grpc_cq_completion* storage);

bool grpc_cq_begin_op(grpc_completion_queue* queue, void* tag)
    LANEKEEPER_REPLACES(LANEKEEPER_NAME_CQ_BEGIN_OP);
bool OriginalBeginOp(grpc_completion_queue* queue, void* tag)
    LANEKEEPER_ORIGINAL(LANEKEEPER_NAME_CQ_BEGIN_OP);

bool grpc_cq_begin_op(grpc_completion_queue* queue, void* tag) {
  static auto* const original = LANEKEEPER_FIND(grpc_cq_begin_op, OriginalBeginOp);
  return lanekeeper::queues.Has(queue) || original(queue, tag);
}

void grpc_cq_end_op(grpc_completion_queue* queue, void* tag, absl::Status error, Done done,
                    void* argument, grpc_cq_completion* storage, bool internal)
    LANEKEEPER_REPLACES(LANEKEEPER_NAME_CQ_END_OP);
void OriginalEndOp(grpc_completion_queue* queue, void* tag, absl::Status error, Done done,
                   void* argument, grpc_cq_completion* storage, bool internal)
    LANEKEEPER_ORIGINAL(LANEKEEPER_NAME_CQ_END_OP);

// An operation that ends elsewhere begins, for core, only now. Debian builds core without NDEBUG:
// it keeps the tags of a queue's pending operations in a list that it searches for each that ends,
// and idle streams have four each.
void grpc_cq_end_op(grpc_completion_queue* queue, void* tag, absl::Status error, Done done,
                    void* argument, grpc_cq_completion* storage, bool internal) {
  static auto* const begin = LANEKEEPER_FIND(grpc_cq_begin_op, OriginalBeginOp);
  static auto* const original = LANEKEEPER_FIND(grpc_cq_end_op, OriginalEndOp);
  if (lanekeeper::CoreQueue::TakesLocally(queue, tag, error.ok(), {done, argument, storage}))
    return;
  if (lanekeeper::queues.Has(queue) && !begin(queue, tag)) {
    done(argument, storage);  // the queue was shut down too early: nobody is left to be told
    return;
  }
  original(queue, tag, std::move(error), done, argument, storage, internal);
}

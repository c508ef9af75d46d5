// Core built without NDEBUG, as Debian's is, keeps a list of the tags of all operations in flight
// on a queue, and searches it, under the queue's lock, for each that ends: with 10,000 idle streams
// that took 60 % of all CPU. For the queues named here core is given one tag for all operations,
// which it finds at once; the true tag comes back beside the event. A gRPC that does not look, or
// that does it in another way, gives the true tag in the event as usual.
#pragma once

#include <grpc/grpc.h>

#include "proxy/threads/completion.h"

namespace lanekeeper {

// While it lives, core is given one tag for the operations of this queue, all of which must be
// Completions. Before the first is started until the queue has been drained. Any thread.
class OneTag {
 public:
  explicit OneTag(grpc_completion_queue* queue);
  OneTag(const OneTag&) = delete;
  OneTag& operator=(const OneTag&) = delete;
  ~OneTag();

 private:
  grpc_completion_queue* const queue_;
};

// Whose event that is. On the thread that has got it from the queue, before it asks for the next.
Completion* CompletionOf(const grpc_event& event);

}  // namespace lanekeeper

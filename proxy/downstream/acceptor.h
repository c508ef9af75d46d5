// Keeps a number of requests for a new call posted with core, so that arriving calls never wait for
// us. Core queues what it cannot match without bound; we re-post before we look at the call that
// came. Used on the thread that polls the queue. Ends when the server is shut down,
// which completes every posted request; destroy it after that queue has been drained.
#pragma once

#include <grpc/grpc.h>

#include <deque>

#include "proxy/downstream/server_call.h"
#include "proxy/threads/completion.h"

namespace lanekeeper {

// Where calls go.
class CallHandler {
 public:
  virtual void OnCall(IncomingCall incoming) = 0;

 protected:
  ~CallHandler() = default;
};

class Acceptor {
 public:
  // The operations of the calls complete on the same queue.
  Acceptor(grpc_server* server, grpc_completion_queue* queue, CallHandler& handler);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

 private:
  class PostedCall final : public Completion {
   public:
    explicit PostedCall(Acceptor& acceptor) : acceptor_(acceptor) {}
    void Post();
    void OnComplete(bool ok) override;

   private:
    Acceptor& acceptor_;
    IncomingCall incoming_;
  };

  grpc_server* const server_;
  grpc_completion_queue* const queue_;
  CallHandler& handler_;
  std::deque<PostedCall> posted_;
};

}  // namespace lanekeeper

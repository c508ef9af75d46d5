// Keeps a number of requests for a new call posted with core, so that arriving calls never wait for
// us. Core queues what it cannot match without bound; we re-post before we look at the call that
// came. Used on the thread that polls the notification queue. Ends when the server is shut down,
// which completes every posted request; destroy it after that queue has been drained.
#pragma once

#include <grpc/grpc.h>

#include <deque>

#include "proxy/downstream/server_call.h"
#include "proxy/threads/completion.h"

namespace lanekeeper {

// Where calls go, and on which queue their operations will complete.
class CallHandler {
 public:
  // The queue for one more posted request, and its way back if no call came on it.
  virtual grpc_completion_queue* TakeQueue() = 0;
  virtual void ReturnQueue(grpc_completion_queue* queue) = 0;
  virtual void OnCall(IncomingCall incoming, grpc_completion_queue* queue) = 0;

 protected:
  ~CallHandler() = default;
};

class Acceptor {
 public:
  Acceptor(grpc_server* server, grpc_completion_queue* notifications, CallHandler& handler);
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
    grpc_completion_queue* queue_ = nullptr;
  };

  grpc_server* const server_;
  grpc_completion_queue* const notifications_;
  CallHandler& handler_;
  std::deque<PostedCall> posted_;
};

}  // namespace lanekeeper

// Kind `user`: every RPC is a group of coroutines, a user-level thread, and one OS thread runs all
// that its queue brought.
#pragma once

#include <thread>

#include "proxy/threads/worker.h"

namespace lanekeeper {

class UserWorker final : public Worker, private RpcOwner {
 public:
  using Worker::Worker;

 private:
  void StartThreads() override;
  bool JoinThreads() override;
  void OnCall(IncomingCall incoming) override;
  void OnRpcEnded(Rpc& rpc) override { rpcs_.Close(rpc); }

  std::thread thread_;
};

}  // namespace lanekeeper

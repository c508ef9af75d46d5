// Looks at the shared channel twice a second, keeps it connected while nobody calls, and logs when
// the upstream becomes reachable or unreachable. A thread of its own from start to end; state()
// from any.
#pragma once

#include <grpc/grpc.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "proxy/upstream/shared_channel.h"

namespace lanekeeper {

class UpstreamWatch {
 public:
  UpstreamWatch(SharedChannel& channel, std::string address);
  UpstreamWatch(const UpstreamWatch&) = delete;
  UpstreamWatch& operator=(const UpstreamWatch&) = delete;
  ~UpstreamWatch();

  grpc_connectivity_state state() const { return state_.load(std::memory_order_relaxed); }

 private:
  void Run();
  void Look();

  SharedChannel& channel_;
  const std::string address_;
  std::atomic<grpc_connectivity_state> state_{GRPC_CHANNEL_IDLE};
  // What was logged last, so that each change is one line. Idle: nothing yet.
  grpc_connectivity_state logged_ = GRPC_CHANNEL_IDLE;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

// "idle", "connecting", "ready", "transient_failure", "shutdown".
const char* ToLabel(grpc_connectivity_state state);

}  // namespace lanekeeper

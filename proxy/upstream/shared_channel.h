// The one channel to the upstream, used by every RPC of every downstream connection at once.
// Owns core's channel. CreateCall from any thread; destroy it after the last call has been
// released.
#pragma once

#include <grpc/grpc.h>

#include <string>

#include "config/config.h"

namespace lanekeeper {

// What an RPC asks for. The slices are borrowed for the duration of CreateCall.
struct CallTarget {
  grpc_slice method;
  grpc_slice authority;
  gpr_timespec deadline;
};

class SharedChannel {
 public:
  explicit SharedChannel(const UpstreamConfig& upstream);
  SharedChannel(const SharedChannel&) = delete;
  SharedChannel& operator=(const SharedChannel&) = delete;
  ~SharedChannel();

  grpc_call* CreateCall(grpc_completion_queue* queue, const CallTarget& target);

  // Flags for the batch that sends request headers.
  uint32_t headers_flags() const { return headers_flags_; }

  grpc_channel* get() const { return channel_; }

 private:
  grpc_channel* channel_;
  std::optional<grpc_slice> fixed_authority_;
  uint32_t headers_flags_;
};

}  // namespace lanekeeper

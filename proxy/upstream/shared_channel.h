// The one channel to the upstream, used by every RPC of every downstream connection at once.
// Owns core's channel. CreateCall from any thread; destroy it after the last call has been
// released.
#pragma once

#include <grpc/grpc.h>

#include <optional>

#include "config/config.h"
#include "proxy/upstream/local_status.h"
#include "proxy/upstream/start_queue.h"

namespace lanekeeper {

// What an RPC asks for. The slices are borrowed for the duration of CreateCall.
struct CallTarget {
  grpc_slice method;
  grpc_slice authority;
  gpr_timespec deadline;
};

class SharedChannel {
 public:
  SharedChannel(const UpstreamConfig& upstream, int64_t waiting_max);
  SharedChannel(const SharedChannel&) = delete;
  SharedChannel& operator=(const SharedChannel&) = delete;
  ~SharedChannel();

  grpc_call* CreateCall(grpc_completion_queue* queue, const CallTarget& target);

  // Flags for the batch that sends request headers.
  uint32_t headers_flags() const { return headers_flags_; }

  // Those that wait for this channel to take them.
  StartQueue& starts() { return starts_; }

  // What it says about RPCs that wait for it.
  UpstreamView View() const { return {ready(), has_one_connection_ ? starts_.left_up_to() : 0}; }

  // Whether there is a connection.
  bool ready() const {
    return grpc_channel_check_connectivity_state(channel_, 0) == GRPC_CHANNEL_READY;
  }

  grpc_channel* get() const { return channel_; }

 private:
  grpc_channel* channel_;
  const LocalStatusMarks marks_;
  StartQueue starts_;
  std::optional<grpc_slice> fixed_authority_;
  uint32_t headers_flags_;
  const bool has_one_connection_;
};

}  // namespace lanekeeper

// The receiving lane of one half of an RPC. Owned by the call, used by the one pump that reads it.
#pragma once

#include <grpc/grpc.h>

#include "proxy/rpc/compression.h"
#include "proxy/rpc/message.h"
#include "proxy/rpc/operation.h"

namespace lanekeeper {

class MessageReceiver {
 public:
  MessageReceiver(grpc_call* call, LaneMetrics metrics) : call_(call), operation_(metrics) {}

  // Asks core for the next message. Only when none is in flight and the last was taken.
  void Start() {
    grpc_op op{};
    op.op = GRPC_OP_RECV_MESSAGE;
    op.data.recv_message.recv_message = message_.Receive();
    operation_.Start(call_, {&op, 1});
  }

  // Await this, then look at ended() or Take().
  Operation& operation() { return operation_; }
  bool in_flight() const { return operation_.in_flight(); }

  // Of the message that is at hand; 0 if none is.
  size_t size_bytes() const { return !in_flight() && message_ ? message_.size_bytes() : 0; }

  // Once completed: whether the direction has ended, and whether it did so by failure of the call
  // (cancelled, reset, lost) rather than by the sender's half-close.
  bool ended() const { return !message_; }
  bool broken() const { return ended() && grpc_call_failed_before_recv_message(call_) != 0; }

  Message Take() {
    KeepCompressedFlag(call_, message_);
    return std::move(message_);
  }

 private:
  grpc_call* call_;
  Message message_;
  Operation operation_;
};

}  // namespace lanekeeper

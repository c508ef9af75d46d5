// The sending lane of one half of an RPC. Owned by the call, used by the one pump that writes to
// it.
#pragma once

#include <grpc/grpc.h>

#include "proxy/rpc/message.h"
#include "proxy/rpc/message_run.h"
#include "proxy/rpc/operation.h"

namespace lanekeeper {

class MessageSender : public Operation {
 public:
  MessageSender(grpc_call* call, LaneMetrics metrics) : Operation(metrics), call_(call) {}

  // Sends a run, behind the headers unless `headers` is null; completes when core has room for
  // more, with nothing of the run left to flow control unless more follows. more_follows: another
  // message is at hand, so core need not write this one at once. Fails as a whole, even if core had
  // taken some of the run.
  void Send(const grpc_op* headers, MessageRun run, bool more_follows);

 protected:
  void OnComplete(bool ok) override;
  // Whether a batch of the run follows the one that is in flight.
  bool has_rest() const { return static_cast<bool>(rest_); }

 private:
  grpc_call* const call_;
  Message rest_;  // of what is in flight
};

}  // namespace lanekeeper

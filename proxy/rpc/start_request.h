// What an RPC and the upstream channel know of each other: the RPC asks to be started, waits in the
// channel's queue, and is given a connection that has room for one more stream. On the loop's
// thread; `connected` and the counts from any.
#pragma once

#include <string>

#include "proxy/base/list.h"
#include "proxy/grpc/status.h"
#include "proxy/http2/connection.h"

namespace lanekeeper {

// Leaves the queue when destroyed.
class StartRequest : public Link {
 public:
  // Opens its stream on this connection, or ends for a reason of its own.
  virtual void OnSlot(http2::Connection& connection) = 0;
  virtual void OnStartFailed(StatusCode code, std::string message) = 0;

 protected:
  ~StartRequest() { Leave(); }
};

class UpstreamChannel {
 public:
  // At once, or later, first come first served; or it fails.
  virtual void Start(StartRequest& request) = 0;
  // It has left the queue by itself: an RPC that waits no longer.
  virtual void Withdraw(StartRequest& request) = 0;
  // Any thread: whether there is a connection.
  virtual bool connected() const = 0;

 protected:
  ~UpstreamChannel() = default;
};

}  // namespace lanekeeper

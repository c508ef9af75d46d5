// Answers a request that is not gRPC: 415 and a line of text that says what this port is for. A
// request that announces its length is read first, to see that it keeps it. Owns its stream and
// itself: it goes when the stream has closed.
#pragma once

#include "proxy/base/task.h"
#include "proxy/rpc/rpc.h"

namespace lanekeeper {

class NotGrpc final : public Retired, private http2::StreamObserver {
 public:
  static void Answer(http2::Connection& connection, int32_t id, bool end, int64_t content_length,
                     RpcEnvironment& environment);
  ~NotGrpc() override;

  Pool& pool() { return environment_.loop.pool(); }

 private:
  explicit NotGrpc(RpcEnvironment& environment);

  // `whole`: only once the request is complete.
  Detached Run(bool whole);
  void OnClosed(http2::Stream& stream) override;
  void OnContractViolation(const char* operation) override;
  void LeaveIfDone();

  RpcEnvironment& environment_;
  Fiber fiber_;
  http2::Stream stream_;
  bool running_ = true;
  bool left_ = false;
};

}  // namespace lanekeeper

// Answers a request that is not gRPC: 415 and a line of text that says what this port is for. The
// request is read first, as far as it is short and comes soon; while there are many, it is not, and
// the answer is 415 alone. Owns its stream and itself: it goes when the stream has closed.
#pragma once

#include "proxy/base/task.h"
#include "proxy/downstream/downstream_connection.h"

namespace lanekeeper {

class NotGrpc final : public Retired, private http2::StreamObserver {
 public:
  // `end`: the header block is the whole request. content_length: -1 if it announced none.
  static void Answer(http2::Connection& connection, int32_t id, bool end, int64_t content_length,
                     DownstreamContext& context);
  ~NotGrpc() override;

  Pool& pool() { return environment_.loop.pool(); }

 private:
  explicit NotGrpc(DownstreamContext& context);

  Detached Run();
  void SendAnswer();
  void OnClosed(http2::Stream& stream) override;
  void OnContractViolation(const char* operation) override;
  void LeaveIfDone();

  DownstreamContext& context_;
  RpcEnvironment& environment_;
  Fiber fiber_;
  http2::Stream stream_;
  bool running_ = true;
  bool answered_ = false;
  bool left_ = false;
  TimerOf<NotGrpc, &NotGrpc::SendAnswer> patience_;
};

}  // namespace lanekeeper

// The downstream half of an RPC: we are its server. Owns core's call object and the metadata that
// came with it. Used on the thread of the RPC's loop, except Cancel; ends when all operations are
// back, which Finish or a cancellation brings about. One receiving lane, one sending lane, and one
// that tells how the call ended.
#pragma once

#include <grpc/grpc.h>

#include <string>
#include <string_view>

#include "proxy/metrics/metric_shard.h"
#include "proxy/rpc/compression.h"
#include "proxy/rpc/message_receiver.h"
#include "proxy/rpc/message_run.h"
#include "proxy/rpc/message_sender.h"
#include "proxy/rpc/metadata.h"
#include "proxy/rpc/operation.h"
#include "proxy/rpc/status.h"
#include "proxy/rpc/stream_activity.h"

namespace lanekeeper {

// What core gives us with a new call. Moves as a whole from the acceptor to the RPC.
class IncomingCall {
 public:
  IncomingCall();
  IncomingCall(IncomingCall&& other) noexcept;
  IncomingCall& operator=(IncomingCall&& other) noexcept;
  ~IncomingCall();

  std::string_view method() const { return ViewOf(details.method); }
  // The header of W3C Trace Context; empty where there is none.
  std::string_view traceparent() const;
  // Of the application: "ipv4:127.0.0.1:34567" or "unix:". Core says "unknown" once the connection
  // has gone.
  std::string peer() const;
  grpc_call* Release() { return std::exchange(call, nullptr); }

  grpc_call* call = nullptr;  // null until the request has been matched
  grpc_call_details details;
  grpc_metadata_array metadata;
};

class ServerCall {
 public:
  // What it does is told to `activity`, which outlives it.
  ServerCall(IncomingCall incoming, MetricShard& metrics, StreamActivity& activity);
  ServerCall(const ServerCall&) = delete;
  ServerCall& operator=(const ServerCall&) = delete;
  ~ServerCall();

  const IncomingCall& incoming() const { return incoming_; }
  Compression compression() const { return Compression::Of(incoming_.call); }

  // Starts to watch for the end of the call; await Closed(), then ask cancelled().
  void Watch();
  Operation& Closed() { return closed_; }
  bool cancelled() const { return cancelled_ != 0; }

  MessageReceiver& receiver() { return receiver_; }

  // The headers go out with the next batch, or alone with SendHeaders.
  void StageHeaders(Metadata headers, const Compression& compression);
  [[nodiscard]] Operation& SendHeaders();
  // more_follows: another message is at hand, so core need not write this one at once.
  [[nodiscard]] Operation& Send(MessageRun run, bool more_follows);
  // The last thing sent: the status, with the last message in front of it if there is one. With no
  // headers staged or sent this is a trailers-only answer.
  [[nodiscard]] Operation& Finish(MessageRun last, RpcStatus status);

  // Ends the call at once with a status of ours. Any thread, any time.
  void Cancel(grpc_status_code code, const char* message);

 private:
  enum class Headers { kNone, kStaged, kSent };

  grpc_op HeadersOp();
  // What has been handed to core is not needed any more.
  Operation& Started();

  IncomingCall incoming_;
  int cancelled_ = 0;
  Headers headers_ = Headers::kNone;
  Metadata staged_;
  Operation closed_;
  MessageReceiver receiver_;
  MessageSender sender_;
};

}  // namespace lanekeeper

// The upstream half of an RPC: we are its client. Owns core's call object on the shared channel.
// Used on the thread of the RPC's loop, except Cancel; ends when all operations are back, which the
// upstream's status or a cancellation brings about.
// One receiving lane, one sending lane, one for the headers and one for the status.
#pragma once

#include <grpc/grpc.h>

#include "proxy/metrics/metric_shard.h"
#include "proxy/rpc/message_receiver.h"
#include "proxy/rpc/metadata.h"
#include "proxy/rpc/operation.h"
#include "proxy/upstream/shared_channel.h"

namespace lanekeeper {

class ClientCall {
 public:
  // method and authority may refer to the downstream call's slices; core takes references.
  ClientCall(SharedChannel& channel, grpc_completion_queue* queue, const CallTarget& target,
             MetricShard& metrics);
  ClientCall(const ClientCall&) = delete;
  ClientCall& operator=(const ClientCall&) = delete;
  ~ClientCall();

  // The request headers go out with the next batch, or alone with SendHeaders.
  void StageHeaders(Metadata headers, grpc_compression_algorithm compression);
  [[nodiscard]] Operation& SendHeaders();
  // more_follows: another message is at hand, so core need not write this one at once.
  [[nodiscard]] Operation& Send(Message message, bool more_follows);
  // Half-closes, with the last message in front if there is one.
  [[nodiscard]] Operation& Finish(Message last);

  // Starts to receive headers and status: the status may come at any time.
  void Watch();
  Operation& HeadersReceived() { return headers_received_; }
  const grpc_metadata_array& headers() const { return initial_metadata_; }
  bool trailers_only() const;
  grpc_compression_algorithm compression() const;

  MessageReceiver& receiver() { return receiver_; }

  // Completes after every message was received. Then status() and trailers() hold.
  Operation& StatusReceived() { return status_received_; }
  grpc_status_code status_code() const { return status_code_; }
  std::string_view status_message() const { return ViewOf(status_message_); }
  const grpc_metadata_array& trailers() const { return trailing_metadata_; }
  // Whether the status was the upstream's own, rather than made up by core here. For a label only:
  // core keeps it to itself, so this goes by core's texts.
  bool status_from_peer() const;

  // Ends the call at once, with this as its status unless it has one already. Any thread, any time.
  void Cancel(grpc_status_code code, const char* message);

 private:
  grpc_op HeadersOp();

  grpc_call* call_;
  uint32_t headers_flags_;
  bool headers_sent_ = false;
  Metadata staged_;
  Message sending_;

  grpc_metadata_array initial_metadata_;
  grpc_metadata_array trailing_metadata_;
  grpc_status_code status_code_ = GRPC_STATUS_UNKNOWN;
  grpc_slice status_message_;
  const char* error_text_ = nullptr;

  Operation headers_received_;
  MessageReceiver receiver_;
  Operation status_received_;
  Operation sender_;
};

}  // namespace lanekeeper

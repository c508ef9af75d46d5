// The upstream half of an RPC: we are its client. Owns core's call object on the shared channel.
// Used on the thread of the RPC's loop, except Cancel; ends when all operations are back, which the
// upstream's status or a cancellation brings about.
// One receiving lane, one sending lane, one for the headers and one for the status.
#pragma once

#include <grpc/grpc.h>

#include <string_view>
#include <utility>

#include "proxy/metrics/metric_shard.h"
#include "proxy/rpc/compression.h"
#include "proxy/rpc/message_receiver.h"
#include "proxy/rpc/message_run.h"
#include "proxy/rpc/message_sender.h"
#include "proxy/rpc/metadata.h"
#include "proxy/rpc/operation.h"
#include "proxy/rpc/stream_activity.h"
#include "proxy/threads/rpc_loop.h"
#include "proxy/upstream/shared_channel.h"

namespace lanekeeper {

class ClientCall {
 public:
  // method and authority may refer to the downstream call's slices; core takes references.
  // What it does is told to `activity`, which outlives it.
  ClientCall(SharedChannel& channel, grpc_completion_queue* queue, const CallTarget& target,
             MetricShard& metrics, StreamActivity& activity);
  ClientCall(const ClientCall&) = delete;
  ClientCall& operator=(const ClientCall&) = delete;
  ~ClientCall();

  // The request headers go out with the next batch, or alone with SendHeaders. They count as
  // waiting (SharedChannel::starts) until they have left.
  void StageHeaders(Metadata headers) { staged_ = std::move(headers); }
  // For the next attempt, once this one is over.
  Metadata TakeHeaders() { return std::move(staged_); }
  // No other attempt will need them, and core has them.
  void DropHeaders() { Metadata().swap(staged_); }
  [[nodiscard]] Operation& SendHeaders();
  // more_follows: another message is at hand, so core need not write this one at once.
  [[nodiscard]] Operation& Send(MessageRun run, bool more_follows);
  // Half-closes, with the last message in front if there is one.
  [[nodiscard]] Operation& Finish(MessageRun last);

  // Starts to receive the headers.
  void Watch();
  Operation& HeadersReceived() { return headers_received_; }
  const grpc_metadata_array& headers() const { return initial_metadata_; }
  // Whether the upstream has answered with headers that more follows. Not so when it answered with
  // trailers only, or not at all.
  bool answered() const;
  Compression compression() const { return Compression::Of(call_); }

  MessageReceiver& receiver() { return receiver_; }

  // Asks for the status: only when no headers came or the last message has been received. Core lets
  // go of messages that still wait when the stream breaks and somebody asks for its status. Once it
  // completes, what follows holds.
  [[nodiscard]] Operation& ReceiveStatus();
  // A number, since it may be one that gRPC does not define.
  int status_code() const;
  std::string_view status_message() const;
  const grpc_metadata_array& trailers() const { return trailing_metadata_; }
  // Once the status has come: what became of an RPC that no answer came to.
  enum class Loss {
    kMayHaveBeenProcessed,
    kNotSeen,  // it never left, or the upstream said that it has not looked at it (GOAWAY)
    kRefused,  // the upstream reset the stream before it looked at it (REFUSED_STREAM)
  };
  Loss loss() const;

  // Whether the status was the upstream's own, rather than made up by core here. For a label only:
  // core keeps it to itself, so this goes by core's texts.
  bool status_from_peer() const;

  // For an attempt that is over, once another follows it. Its last operations may still come back.
  void StopReporting();

  // Ends the call at once, with this as its status unless it has one already. Any thread, any time.
  void Cancel(grpc_status_code code, const char* message);
  // The same, but headers that are on their way out go first: core would reset a stream whose
  // headers it never wrote, and that is an error of the whole connection (RFC 9113 section 5.1).
  // Not for long: they may wait for a stream that the upstream does not allow yet. The loop's
  // thread.
  void CancelBehindHeaders(RpcLoop& loop);

 private:
  // The sending lane, which sees the headers leave.
  class Sender final : public MessageSender {
   public:
    Sender(ClientCall& owner, grpc_call* call, LaneMetrics metrics)
        : MessageSender(call, metrics), owner_(owner) {}
    void OnComplete(bool ok) override {
      owner_.OnSent(ok);
      // The headers have left, and what is left of the run waits for more than that.
      if (ok && has_rest()) ReportTo(owner_.activity_.way(Direction::kToUpstream).send);
      MessageSender::OnComplete(ok);
    }

   private:
    ClientCall& owner_;
  };

  class HeldCancel final : public RpcLoop::Delayed {
   public:
    explicit HeldCancel(ClientCall& call) : call_(call) {}
    void OnTime() override { call_.CancelHeld(); }

   private:
    ClientCall& call_;
  };

  grpc_op HeadersOp();
  // Begins a batch: whether the headers are in it.
  bool AddHeaders(grpc_op& op);
  void OnSent(bool ok);
  void CancelHeld();

  SharedChannel& channel_;
  StreamActivity& activity_;
  grpc_call* call_;
  bool headers_sent_ = false;
  bool waiting_ = false;  // counted by channel_.starts()
  Metadata staged_;

  grpc_metadata_array initial_metadata_;
  grpc_metadata_array trailing_metadata_;
  grpc_status_code status_code_ = GRPC_STATUS_UNKNOWN;
  grpc_slice status_message_;
  const char* error_text_ = nullptr;

  Operation headers_received_;
  MessageReceiver receiver_;
  Operation status_received_;
  Sender sender_;
  bool cancel_held_ = false;
  HeldCancel held_cancel_{*this};
};

}  // namespace lanekeeper

// One direction of an RPC: receive from one half, send to the other, one message at a time, or as
// many small ones as are at hand and a run takes. What is sent must be accepted before more is, and
// only one message is received meanwhile (the lookahead): that is the backpressure. Runs on the
// RPC's thread; ends when the direction does. No operation is left in flight then, except the
// receive where the sink ended.
#pragma once

#include <utility>

#include "proxy/metrics/metric_shard.h"
#include "proxy/rpc/message_receiver.h"
#include "proxy/rpc/message_run.h"
#include "proxy/rpc/stream_activity.h"
#include "proxy/threads/rpc_loop.h"
#include "proxy/threads/task.h"

namespace lanekeeper {

// What a direction counts as its messages move.
struct PumpCells {
  Cell& messages;            // forwarded, of this direction
  Cell& message_bytes;       // forwarded, of this direction
  Cell* received;            // of the method; null where the direction does not count it
  Cell* sent;                // of the method; null where the direction does not count it
  StreamActivity::Way& way;  // of the stream

  void Received() const {
    if (received != nullptr) received->Add(1);
  }
  void Sent(MessageCount count) const {
    const auto number = static_cast<int64_t>(count.messages);
    const auto bytes = static_cast<int64_t>(count.bytes);
    messages.Add(number);
    message_bytes.Add(bytes);
    way.messages.Add(number);
    way.bytes.Add(bytes);
    if (sent != nullptr) sent->Add(number);
  }
};

// How a pump ended. Unless the sending half has ended by itself, the caller ends the direction.
struct PumpEnd {
  enum class Reason { kSourceEnded, kSinkEnded, kMessageTooLarge } reason = Reason::kSourceEnded;
  // The last messages, where they were known to be the last before they were sent, so that they can
  // travel together with the end of the direction; or the one that is too large. Empty otherwise.
  MessageRun last;
  MessageCount unsent;  // what the sink did not take
};

// A Sink sends messages: `Operation& Send(MessageRun, bool more_follows)`. One whose lane may be
// taken says so: `catching_up()`, and when it is free again: `CaughtUp()`. The first receive must
// have been started.
template <class Sink>
Task Pump(RpcLoop& loop, MessageReceiver& from, Sink& to, size_t message_bytes_max, PumpCells cells,
          PumpEnd& end) {
  // Looking whether more is at hand costs a poll, so do it only while it pays: at the start, where
  // unary RPCs have their end at hand, as long as the last look found something, and when a message
  // came while another was sent.
  bool look = true;
  MessageRun run;
  for (;;) {
    co_await from.operation();
    if (from.ended()) co_return;
    Message message = from.Take();
    cells.Received();
    if (message.size_bytes() > message_bytes_max) {
      end = {PumpEnd::Reason::kMessageTooLarge, MessageRun(std::move(message))};
      co_return;
    }
    run.Add(std::move(message));

    from.Start();
    if (look) co_await RpcLoop::Settle(loop, from.operation());
    const bool more_at_hand = !from.in_flight();
    look = more_at_hand;
    if (more_at_hand && from.ended()) {
      end.last = std::move(run);
      co_return;
    }
    const bool joins = more_at_hand && from.size_bytes() <= message_bytes_max;
    if (joins && run.Takes(from.size_bytes())) continue;
    if constexpr (requires { to.catching_up(); }) {
      if (to.catching_up()) co_await to.CaughtUp();
    }
    const MessageCount count = run.count();
    if (!co_await to.Send(std::move(run), more_at_hand)) {
      end.reason = PumpEnd::Reason::kSinkEnded;
      end.unsent = count;
      co_return;
    }
    cells.Sent(count);
    look = look || !from.in_flight();
  }
}

}  // namespace lanekeeper

// One direction of an RPC: receive from one half, send to the other, one message at a time. The
// send of a message must be accepted before the next is sent, and only one more is received
// meanwhile (the lookahead): that is the backpressure. Runs on the RPC's thread; ends when the
// direction does. No operation is left in flight then, except the receive where the sink ended.
#pragma once

#include <optional>
#include <utility>

#include "proxy/metrics/metric_shard.h"
#include "proxy/rpc/message_receiver.h"
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
  void Sent(size_t bytes) const {
    messages.Add(1);
    message_bytes.Add(static_cast<int64_t>(bytes));
    way.messages.Add(1);
    way.bytes.Add(static_cast<int64_t>(bytes));
    if (sent != nullptr) sent->Add(1);
  }
};

// How a pump ended. Unless the sending half has ended by itself, the caller ends the direction.
struct PumpEnd {
  enum class Reason { kSourceEnded, kSinkEnded, kMessageTooLarge } reason = Reason::kSourceEnded;
  // The last message, where it was known to be the last before it was sent, so that it can travel
  // together with the end of the direction; or the one that is too large. Empty otherwise.
  Message last;
  size_t unsent_bytes = 0;  // of the message that the sink did not take

  std::optional<size_t> last_bytes() const {
    return last ? std::optional(last.size_bytes()) : std::nullopt;
  }
};

// A Sink sends messages: `Operation& Send(Message, bool more_follows)`. One whose lane may be taken
// says so: `catching_up()`, and when it is free again: `CaughtUp()`.
// The first receive must have been started.
template <class Sink>
Task Pump(RpcLoop& loop, MessageReceiver& from, Sink& to, size_t message_bytes_max, PumpCells cells,
          PumpEnd& end) {
  // Looking whether more is at hand costs a poll, so do it only while it pays: at the start, where
  // unary RPCs have their end at hand, and as long as the last look found something.
  bool look = true;
  for (;;) {
    co_await from.operation();
    if (from.ended()) co_return;
    Message message = from.Take();
    const size_t bytes = message.size_bytes();
    cells.Received();
    if (bytes > message_bytes_max) {
      end = {PumpEnd::Reason::kMessageTooLarge, std::move(message)};
      co_return;
    }

    from.Start();
    if (look) co_await RpcLoop::Settle(loop, from.operation());
    const bool more_at_hand = !from.in_flight();
    look = more_at_hand;
    if (more_at_hand && from.ended()) {
      end.last = std::move(message);
      co_return;
    }
    if constexpr (requires { to.catching_up(); }) {
      if (to.catching_up()) co_await to.CaughtUp();
    }
    if (!co_await to.Send(std::move(message), more_at_hand)) {
      end.reason = PumpEnd::Reason::kSinkEnded;
      end.unsent_bytes = bytes;
      co_return;
    }
    cells.Sent(bytes);
  }
}

}  // namespace lanekeeper

// One direction of an RPC: receive from one half, send to the other, one message at a time. The send of a
// message must be accepted before the next is sent, and only one more is received meanwhile (the
// lookahead): that is the backpressure. Runs on the RPC's thread; ends when the direction does, with no
// operation of either lane left in flight.
#pragma once

#include "proxy/metrics/metric_shard.h"
#include "proxy/rpc/message_receiver.h"
#include "proxy/threads/rpc_loop.h"
#include "proxy/threads/task.h"

namespace lanekeeper {

// What a direction counts as its messages move.
struct PumpCells {
  Cell& messages;         // forwarded, of this direction
  Cell& message_bytes;    // forwarded, of this direction
  Cell* received;         // of the method; null where the direction does not count it
  Cell* sent;             // of the method; null where the direction does not count it

  void Received() const {
    if (received != nullptr) received->Add(1);
  }
  void Sent(size_t bytes) const {
    messages.Add(1);
    message_bytes.Add(static_cast<int64_t>(bytes));
    if (sent != nullptr) sent->Add(1);
  }
};

// A Sink sends messages: `Operation& Send(Message, bool more_follows)`.
// `last` gets the last message when it is known to be the last before it is sent, so that it can travel
// together with the end of the direction; empty otherwise. The caller ends the direction, unless
// *sink_failed: then the sending half has ended by itself.
// The first receive must have been started.
template <class Sink>
Task Pump(RpcLoop& loop, MessageReceiver& from, Sink& to, PumpCells cells, Message* last,
          bool* sink_failed) {
  // Looking whether more is at hand costs a poll, so do it only while it pays: at the start, where unary
  // RPCs have their end at hand, and as long as the last look found something.
  bool look = true;
  for (;;) {
    co_await from.operation();
    if (from.ended()) co_return;
    Message message = from.Take();
    cells.Received();

    from.Start();
    if (look) co_await RpcLoop::Settle(loop, from.operation());
    const bool more_at_hand = !from.in_flight();
    look = more_at_hand;
    if (more_at_hand && from.ended()) {
      *last = std::move(message);
      co_return;
    }
    const size_t bytes = message.size_bytes();
    if (!co_await to.Send(std::move(message), more_at_hand)) {
      *sink_failed = true;
      co_await from.operation();
      co_return;
    }
    cells.Sent(bytes);
  }
}

}  // namespace lanekeeper

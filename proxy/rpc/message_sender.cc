#include "proxy/rpc/message_sender.h"

#include <utility>

#include "proxy/rpc/send_ops.h"

namespace lanekeeper {

void MessageSender::Send(const grpc_op* headers, MessageRun run, bool more_follows) {
  // Core tells of a run when its first message has left. So what nothing follows ends with a
  // message by itself, that it is known when all have.
  Message rest = more_follows ? Message() : run.TakeLast();
  const Message message = run.Join();
  grpc_op ops[2];
  size_t count = 0;
  if (headers != nullptr) ops[count++] = *headers;
  // Core holds a hinted message back together with headers in front of it, and then the batch does
  // not complete before the next one is started: no hint, then.
  const bool hint = (more_follows || rest) && headers == nullptr;
  ops[count++] = MessageOp(message, hint);
  if (Start(call_, {ops, count})) rest_ = std::move(rest);
}

void MessageSender::OnComplete(bool ok) {
  const Message rest = std::move(rest_);
  if (ok && rest) {
    const grpc_op op = MessageOp(rest, false);
    if (StartAnother(call_, {&op, 1})) return;
    ok = false;
  }
  Operation::OnComplete(ok);
}

}  // namespace lanekeeper

#include "proxy/upstream/call_attempts.h"

#include <utility>

namespace lanekeeper {
namespace {

// As much as gRPC's own retries keep for an RPC, so that an open stream costs no more.
constexpr size_t kKeptBytesMax = 256 * 1024;
// An upstream that goes away again and again is down.
constexpr int kRenewalsMax = 5;
// One that refuses a stream twice is overloaded, and the client should hear of it.
constexpr int kRefusalsMax = 1;

}  // namespace

CallAttempts::CallAttempts(SharedChannel& channel, grpc_completion_queue* queue,
                           const CallTarget& target, MetricShard& metrics, StreamActivity& activity)
    : channel_(channel),
      queue_(queue),
      target_(target),
      metrics_(metrics),
      activity_(activity),
      first_(channel, queue, target, metrics, activity) {}

void CallAttempts::Keep(const MessageRun& run) {
  if (settled_ || !complete_ || !run) return;
  kept_bytes_ += run.count().bytes;
  if (kept_bytes_ <= kKeptBytesMax) {
    kept_.push_back(run.Share());
    return;
  }
  complete_ = false;
  kept_.clear();
}

Operation& CallAttempts::SendHeaders() {
  sent_on_ = number_;
  return current()->SendHeaders();
}

Operation& CallAttempts::Send(MessageRun run, bool more_follows) {
  sent_on_ = number_;
  Keep(run);
  return current()->Send(std::move(run), more_follows);
}

Operation& CallAttempts::Finish(MessageRun last) {
  sent_on_ = number_;
  Keep(last);
  half_closed_ = true;
  return current()->Finish(std::move(last));
}

bool CallAttempts::CanRenew() const {
  if (!complete_ || number_ >= kRenewalsMax) return false;
  switch (current()->loss()) {
    case ClientCall::Loss::kMayHaveBeenProcessed:
      return false;
    case ClientCall::Loss::kRefused:
      return refused_ < kRefusalsMax;
    case ClientCall::Loss::kNotSeen:
      return true;
  }
  return false;
}

void CallAttempts::Renew() {
  metrics_.upstream_retries.Add(1);
  activity_.Attempted();
  if (current()->loss() == ClientCall::Loss::kRefused) ++refused_;
  ClientCall& before = *current();
  before.StopReporting();
  ClientCall& next = *later_.emplace_back(
      std::make_unique<ClientCall>(channel_, queue_, target_, metrics_, activity_));
  next.StageHeaders(before.TakeHeaders());
  ++number_;
  // Either Cancel sees the new attempt, or we see that it was called.
  current_.store(&next, std::memory_order_seq_cst);
  if (cancelled_.load(std::memory_order_seq_cst)) next.Cancel(GRPC_STATUS_CANCELLED, "CANCELLED");
  next.Watch();
  if (!catching_up_) CatchUp();
}

void CallAttempts::Settle() {
  settled_ = true;
  kept_.clear();
  current()->DropHeaders();
  Wake();
}

void CallAttempts::Wake() {
  if (waiter_ && IsOpen(waiter_wants_next_)) std::exchange(waiter_, {}).resume();
}

// An attempt that fails on the way may be followed by the next before this has ended.
Detached CallAttempts::CatchUp() {
  catching_up_ = true;
  for (const ClientCall* done = nullptr; done != current();) {
    ClientCall& attempt = *current();
    co_await Replay(attempt);
    done = &attempt;
  }
  catching_up_ = false;
  Wake();
}

// What is kept may be let go of meanwhile, when the upstream answers before it has read all of it:
// by then core has what was to be sent, or the attempt is over.
Task CallAttempts::Replay(ClientCall& attempt) {
  absl::InlinedVector<MessageRun, 1> runs;
  for (const MessageRun& run : kept_) runs.push_back(run.Share());
  const bool half_close = half_closed_;
  MessageRun last;
  if (!runs.empty()) {
    last = std::move(runs.back());
    runs.pop_back();
  }
  for (MessageRun& run : runs) {
    if (!co_await attempt.Send(std::move(run), true)) co_return;
  }
  if (half_close) {
    co_await attempt.Finish(std::move(last));
  } else if (last) {
    co_await attempt.Send(std::move(last), false);
  } else {
    co_await attempt.SendHeaders();
  }
}

void CallAttempts::CancelBehindHeaders(RpcLoop& loop) {
  cancelled_.store(true, std::memory_order_seq_cst);
  current()->CancelBehindHeaders(loop);
}

void CallAttempts::Cancel(grpc_status_code code, const char* message) {
  cancelled_.store(true, std::memory_order_seq_cst);
  current_.load(std::memory_order_seq_cst)->Cancel(code, message);
}

}  // namespace lanekeeper

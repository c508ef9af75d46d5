// The upstream half of an RPC, over one attempt or, where the upstream has certainly not seen the
// RPC (a GOAWAY or a refused stream came first), a new one: gRPC's transparent retry (gRFC A6). An
// RPC is lost neither to a rolling update nor to the maximum age of a connection.
// What was sent is kept, by reference, until the upstream answers or it is more than kKeptBytesMax;
// from then on the attempt that runs is the last. Earlier attempts stay until the RPC ends, for
// their operations to come back.
// Used on the thread of the RPC's loop, except Cancel. Destroy it when every operation of every
// attempt is back; the sender ends with Next(), after which none is catching up.
#pragma once

#include <absl/container/inlined_vector.h>

#include <atomic>
#include <coroutine>
#include <memory>
#include <utility>
#include <vector>

#include "proxy/metrics/metric_shard.h"
#include "proxy/threads/task.h"
#include "proxy/upstream/client_call.h"

namespace lanekeeper {

class CallAttempts {
 public:
  // The target's slices must stay alive as long as this.
  CallAttempts(SharedChannel& channel, grpc_completion_queue* queue, const CallTarget& target,
               MetricShard& metrics, StreamActivity& activity);
  CallAttempts(const CallAttempts&) = delete;
  CallAttempts& operator=(const CallAttempts&) = delete;

  // The attempt that runs.
  ClientCall* operator->() { return current(); }
  const ClientCall* operator->() const { return current(); }

  // As ClientCall's, and keeps what is sent. Not while catching_up().
  [[nodiscard]] Operation& SendHeaders();
  [[nodiscard]] Operation& Send(MessageRun run, bool more_follows);
  [[nodiscard]] Operation& Finish(MessageRun last);

  // Whether the attempt that has failed can be followed by another.
  bool CanRenew() const;
  // Starts that other one, which sends what was kept.
  void Renew();
  // The attempt that runs is the last, for better or worse.
  void Settle();

  // Whether what was kept is being sent by a new attempt: the sending lane is taken.
  bool catching_up() const { return catching_up_; }

  // Awaited by the sender alone: until the sending lane is free.
  class Gate;
  Gate CaughtUp() { return {*this, false}; }
  // Awaited by the sender alone, when a send has failed or nothing is left to send: until another
  // attempt has caught up (yields true: what was sent has been sent again), or none will follow.
  Gate Next() { return {*this, true}; }

  class Gate {
   public:
    Gate(CallAttempts& attempts, bool next) : attempts_(attempts), next_(next) {}
    bool await_ready() const noexcept { return attempts_.IsOpen(next_); }
    void await_suspend(std::coroutine_handle<> waiter) noexcept {
      attempts_.waiter_ = waiter;
      attempts_.waiter_wants_next_ = next_;
    }
    bool await_resume() const noexcept {
      return std::exchange(attempts_.sent_on_, attempts_.number_) < attempts_.number_;
    }

   private:
    CallAttempts& attempts_;
    const bool next_;
  };

  // Ends the attempt that runs, and any that would follow. Any thread, any time.
  void Cancel(grpc_status_code code, const char* message);
  // The same, in order: see ClientCall. The loop's thread.
  void CancelBehindHeaders(RpcLoop& loop);

 private:
  ClientCall* current() const { return current_.load(std::memory_order_relaxed); }
  void Keep(const MessageRun& run);
  bool IsOpen(bool for_next) const {
    return !catching_up_ && (!for_next || settled_ || number_ > sent_on_);
  }
  void Wake();
  Detached CatchUp();
  Task Replay(ClientCall& attempt);

  SharedChannel& channel_;
  grpc_completion_queue* const queue_;
  const CallTarget target_;
  MetricShard& metrics_;
  StreamActivity& activity_;

  ClientCall first_;
  std::vector<std::unique_ptr<ClientCall>> later_;
  std::atomic<ClientCall*> current_{&first_};
  std::atomic<bool> cancelled_{false};
  int number_ = 0;
  int sent_on_ = 0;  // the number of the attempt that the sender used last
  int refused_ = 0;

  absl::InlinedVector<MessageRun, 1> kept_;
  size_t kept_bytes_ = 0;
  bool complete_ = true;  // kept_ is all that was sent
  bool half_closed_ = false;
  bool settled_ = false;
  bool catching_up_ = false;
  std::coroutine_handle<> waiter_;
  bool waiter_wants_next_ = false;
};

}  // namespace lanekeeper

// A TLS handshake on a connected socket, of either side, that ends within a time. Owns the socket
// until then. On the loop's thread. Done is called once, never from the constructor; its owner lets
// the loop destroy this (EventLoop::Retire), then or at any time before.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "proxy/net/event_loop.h"
#include "proxy/net/transport.h"

namespace lanekeeper {

// Of all handshakes of one side: written on the loop's thread, read by any.
class TlsCounts {
 public:
  void Add(TlsOutcome outcome) { At(outcome).fetch_add(1, std::memory_order_relaxed); }
  int64_t Get(TlsOutcome outcome) const {
    return counts_[static_cast<size_t>(outcome)].load(std::memory_order_relaxed);
  }

 private:
  std::atomic<int64_t>& At(TlsOutcome outcome) { return counts_[static_cast<size_t>(outcome)]; }

  std::array<std::atomic<int64_t>, kTlsOutcomes> counts_{};
};

// How many handshakes go on in one turn of the loop: each may take a millisecond or two, and RPCs
// wait meanwhile. One for all of a loop.
class TlsPace {
 public:
  static constexpr int kPerTurn = 4;

  // `turn`: the loop's time, which it looks at once a turn.
  bool MayGoOn(Instant turn) {
    if (turn != turn_) left_ = kPerTurn;
    turn_ = turn;
    return left_-- > 0;
  }

 private:
  Instant turn_ = 0;
  int left_ = 0;
};

struct TlsResult {
  TlsOutcome outcome = TlsOutcome::kOk;
  Transport transport;  // if it is kOk
  std::string error;    // what was wrong otherwise
};

class TlsHandshake final : public EventHandler, public Retired {
 public:
  using Done = std::function<void(TlsHandshake& handshake, TlsResult result)>;

  // `pace` may be null: at once; it outlives this.
  TlsHandshake(EventLoop& loop, Fd socket, std::unique_ptr<TlsSession> session, TlsPace* pace,
               std::chrono::nanoseconds timeout, Done done);
  TlsHandshake(const TlsHandshake&) = delete;
  TlsHandshake& operator=(const TlsHandshake&) = delete;
  ~TlsHandshake() override { Leave(); }

  // Closes the socket; Done is not called any more.
  void Leave();
  void OnEvents(uint32_t events) override;

 private:
  void GoOn();
  void OnTimeout();
  void Finish(TlsResult result);

  EventLoop& loop_;
  Fd socket_;
  std::unique_ptr<TlsSession> session_;
  TlsPace* const pace_;
  Done done_;
  TimerOf<TlsHandshake, &TlsHandshake::GoOn> turn_timer_;
  TimerOf<TlsHandshake, &TlsHandshake::OnTimeout> timer_;
};

}  // namespace lanekeeper

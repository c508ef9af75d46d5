#include "proxy/net/tls_handshake.h"

#include <utility>

namespace lanekeeper {

// The loop tells of a socket that is watched at once that it takes bytes: that begins it.
TlsHandshake::TlsHandshake(EventLoop& loop, Fd socket, std::unique_ptr<TlsSession> session,
                           TlsPace* pace, std::chrono::nanoseconds timeout, Done done)
    : loop_(loop),
      socket_(std::move(socket)),
      session_(std::move(session)),
      pace_(pace),
      done_(std::move(done)),
      turn_timer_(loop.timers(), *this),
      timer_(loop.timers(), *this) {
  loop_.Watch(socket_.get(), *this);
  timer_.Set(loop_.now() + timeout.count());
}

void TlsHandshake::Leave() {
  turn_timer_.Cancel();
  timer_.Cancel();
  done_ = nullptr;
  if (socket_) loop_.Forget(socket_.get());
  socket_.Close();
}

void TlsHandshake::OnEvents(uint32_t) {
  if (socket_) GoOn();
}

// Those whose turn it is not go on in the next one, in the order in which they came.
void TlsHandshake::GoOn() {
  if (pace_ != nullptr && !pace_->MayGoOn(loop_.now())) return turn_timer_.Set(loop_.now());
  switch (session_->Handshake(socket_.get())) {
    case TlsSession::Step::kWaits:
      return;
    case TlsSession::Step::kDone:
      loop_.Forget(socket_.get());
      return Finish({TlsOutcome::kOk, Transport(std::move(socket_), std::move(session_)), {}});
    case TlsSession::Step::kFailed:
      return Finish({session_->outcome(), {}, session_->error()});
  }
}

void TlsHandshake::OnTimeout() {
  Finish({TlsOutcome::kTimeout, {}, "the TLS handshake took too long"});
}

void TlsHandshake::Finish(TlsResult result) {
  const Done done = std::exchange(done_, nullptr);
  Leave();
  if (done) done(*this, std::move(result));
}

}  // namespace lanekeeper

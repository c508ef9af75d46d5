#include "proxy/http2/stream.h"

#include <nghttp2/nghttp2.h>

#include "proxy/http2/connection.h"

namespace lanekeeper::http2 {
namespace {

// A Send of less than this is complete at once while nothing blocks the stream: it leaves with the
// flush of this turn. As much as one stream may send in its turn of the round robin.
constexpr size_t kRoomBytes = 16 * 1024;

}  // namespace

StreamState Next(StreamState state, StreamEvent event) {
  switch (event) {
    case StreamEvent::kOpened:
      return state == StreamState::kIdle ? StreamState::kOpen : state;
    case StreamEvent::kLocalEnd:
      if (state == StreamState::kOpen) return StreamState::kHalfClosedLocal;
      return state == StreamState::kHalfClosedRemote ? StreamState::kClosed : state;
    case StreamEvent::kRemoteEnd:
      if (state == StreamState::kOpen) return StreamState::kHalfClosedRemote;
      return state == StreamState::kHalfClosedLocal ? StreamState::kClosed : state;
    case StreamEvent::kClosed:
      return StreamState::kClosed;
  }
  return state;
}

bool Stream::ReceiveOperation::await_ready() {
  if (stream.receive_started_) stream.observer_.OnContractViolation("receive");
  stream.receive_started_ = true;
  return (stream.has_headers_ && !stream.headers_taken_) || !stream.in_.empty() ||
         stream.remote_ended_ || stream.closed();
}

Received Stream::ReceiveOperation::await_resume() {
  stream.receive_started_ = false;
  if (stream.has_headers_ && !stream.headers_taken_) {
    stream.headers_taken_ = true;
    return Received::kHeaders;
  }
  if (!stream.in_.empty()) {
    into.Splice(stream.in_);
    return Received::kData;
  }
  return stream.remote_ended_ ? Received::kEnd : Received::kClosed;
}

bool Stream::SendOperation::await_ready() {
  if (stream.send_started_) stream.observer_.OnContractViolation("send");
  stream.send_started_ = true;
  if (stream.closed() || stream.out_.empty()) return true;
  return stream.connection_ != nullptr &&
         stream.blocked_since_.load(std::memory_order_relaxed) == 0 &&
         stream.out_.bytes() <= kRoomBytes;
}

bool Stream::SendOperation::await_resume() {
  stream.send_started_ = false;
  return !stream.closed() || stream.close_cause_ == CloseCause::kDone;
}

void Stream::Push(SliceQueue& bytes) {
  if (closed()) return bytes.Clear();
  out_.Splice(bytes);
  if (connection_ == nullptr)
    out_.Compact();  // it waits for a stream, and would keep the whole block
  else if (!out_.empty())
    connection_->HasOutput(*this);
}

void Stream::End(FieldList trailers) {
  if (closed() || ending_) return;
  ending_ = true;
  trailers_out_ = std::move(trailers);
  if (connection_ == nullptr) return;
  // Trailers need no window; behind bytes they wait for those.
  if (out_.empty() && !trailers_out_.empty() && headers_sent_) {
    connection_->SubmitTrailers(*this);
  } else {
    connection_->HasOutput(*this);
  }
}

void Stream::SendHeaders(FieldList headers, bool end) {
  if (closed() || headers_sent_ || connection_ == nullptr) return;
  Keep(std::move(headers));
  headers_sent_ = true;
  if (end) {
    ending_ = end_queued_ = true;
    in_ring_.Leave();
  }
  connection_->SubmitResponse(*this, end);
}

// The credit of what is forgotten is not given back: nothing more is wanted of the source.
void Stream::DiscardUnsent() {
  out_.Clear();
  SetBlocked(BlockedBy::kNothing, connection_ != nullptr ? connection_->now() : 0);
}

void Stream::Reset(uint32_t code) {
  if (closed()) return;
  if (connection_ != nullptr) connection_->SubmitReset(*this, code);
  close_cause_ = CloseCause::kLocalReset;
  close_code_ = code;
  state_ = Next(state_, StreamEvent::kClosed);
  out_.Clear();
  in_.Clear();
  WakeReceiver();
  WakeSender();
}

void Stream::ResetWhenSent(uint32_t code, ResetWait wait) {
  if (closed() || reset_waits_) return;
  const bool sent = out_.empty() && (!headers_sent_ || headers_framed_);
  const bool blocked = blocked_since_.load(std::memory_order_relaxed) != 0;
  reset_impatient_ = wait == ResetWait::kImpatient;
  if (connection_ == nullptr || sent || (reset_impatient_ && blocked)) return Reset(code);
  reset_waits_ = true;
  reset_code_ = code;
  ++connection_->resets_waiting_;
}

// The library borrows the fields of an end that it has been given: those stay, and are the end.
void Stream::EndNow(FieldList trailers) {
  if (closed() || end_framed_ || end_queued_) return;
  DiscardUnsent();
  ending_ = false;
  End(std::move(trailers));
}

void Stream::Abandon() {
  if (connection_ != nullptr) connection_->SubmitReset(*this, NGHTTP2_CANCEL);
}

void Stream::Renew() {
  out_.Clear();
  in_.Clear();
  headers_.Clear();
  trailers_.Clear();
  trailers_out_.Clear();
  state_ = StreamState::kIdle;
  close_cause_ = CloseCause::kNone;
  close_code_ = 0;
  id_ = -1;
  credit_owed_ = withheld_ = growth_credit_ = 0;
  body_left_ = kNoLength;
  has_headers_ = headers_taken_ = headers_sent_ = remote_ended_ = ended_with_headers_ = false;
  ending_ = end_framed_ = end_queued_ = end_raw_ = served_ = fields_too_large_ = headers_framed_ =
      reset_waits_ = false;
}

// What is sent again after a renewal has given its credit before: never more than is owed.
void Stream::ReturnCredit(size_t bytes) {
  if (bytes > credit_owed_) bytes = credit_owed_;
  if (bytes == 0) return;
  credit_owed_ -= static_cast<uint32_t>(bytes);
  if (connection_ != nullptr) connection_->ReturnStreamCredit(*this, bytes);
}

void Stream::OnHeaders(const FieldList& fields, bool end) {
  headers_.Assign(fields, &in_.pool());
  has_headers_ = true;
  ended_with_headers_ = end;
  if (end) remote_ended_ = true;
  if (end) state_ = Next(state_, StreamEvent::kRemoteEnd);
  WakeReceiver();
}

void Stream::OnTrailers(const FieldList& fields) {
  trailers_.Assign(fields, &in_.pool());
  OnRemoteEnd();
}

void Stream::OnData(Block* block, const uint8_t* data, uint32_t size) {
  if (body_left_ != kNoLength) {
    if (size > body_left_) return connection_->Malformed(*this);
    body_left_ -= size;
  }
  credit_owed_ += size;
  const bool leaves_now = receiver_ != nullptr;
  if (leaves_now || block->capacity < size * 4)
    in_.Append(block, data, size);
  else
    in_.AppendCopy(data, size);  // it may wait, and would keep the whole block
  WakeReceiver();
}

void Stream::OnRemoteEnd() {
  if (body_left_ > 0) return connection_->Malformed(*this);
  remote_ended_ = true;
  state_ = Next(state_, StreamEvent::kRemoteEnd);
  WakeReceiver();
}

void Stream::OnClosed(CloseCause cause, uint32_t code) {
  close_cause_ = cause;
  close_code_ = code;
  state_ = Next(state_, StreamEvent::kClosed);
  out_.Clear();
  WakeReceiver();
  WakeSender();
  observer_.OnClosed(*this);
}

// Some of the bytes have been framed.
void Stream::OnFramed() {
  if (blocked_since_.load(std::memory_order_relaxed) != 0) {
    SetBlocked(BlockedBy::kNothing, connection_->now());
  }
  if (out_.empty()) WakeSender();
}

void Stream::SetBlocked(BlockedBy by, Instant now) {
  blocked_by_.store(by, std::memory_order_relaxed);
  const Instant since = blocked_since_.load(std::memory_order_relaxed);
  if (by == BlockedBy::kNothing) {
    if (since == 0) return;
    const Instant total = blocked_total_.load(std::memory_order_relaxed);
    blocked_total_.store(total + (now > since ? now - since : 0), std::memory_order_relaxed);
    blocked_since_.store(0, std::memory_order_relaxed);
  } else if (since == 0) {
    blocked_since_.store(now, std::memory_order_relaxed);
  }
}

void Stream::WakeReceiver() {
  if (receiver_ != nullptr) fiber_.Wake(std::exchange(receiver_, nullptr));
}

void Stream::WakeSender() {
  if (sender_ != nullptr) fiber_.Wake(std::exchange(sender_, nullptr));
}

}  // namespace lanekeeper::http2

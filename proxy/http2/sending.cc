// What leaves at the end of a turn: the library's frames and, in a round robin of our own, the
// streams' bytes. No version of the library decides fairness.
#include <cerrno>
#include <cstring>

#include "proxy/http2/connection.h"
#include "proxy/http2/session.h"

namespace lanekeeper::http2 {
namespace {

// How often it is looked at who holds a window that is spent.
constexpr Instant kHeldInterval = 50'000'000;

}  // namespace

// Small writers that have just come go to the back as all do: everyone's share is 16 KiB.
void Connection::HasOutput(Stream& stream) {
  if (stream.in_ring_.alone()) stream.in_ring_.Join(ring_);
  loop_.RequestFlush(*this);
}

void Connection::Flush() {
  if (ended_ || lingering_) return;
  // Our SETTINGS wait for the whole preface: a peer that speaks something else is answered in kind.
  if (options_.side == Side::kDownstream && sniffed_ < kPrefaceBytes && !closing_) return;
  for (;;) {
    Fill();
    if (ended_ || all_written() || !WriteOut()) break;
  }
  if (ended_) return;
  MarkRing();
  CheckRoom();
  if (ended_ || !all_written()) return;
  if (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0) {
    // It has been agreed on, by either side's GOAWAY.
    if (options_.side == Side::kDownstream && goaway_sent_ && !closing_) return Linger();
    const bool agreed = closing_ || goaway_sent_ || going_away_;
    End(agreed ? end_.kind : EndKind::kProtocolError, {});
  }
}

// Until nothing is left to send or enough waits for the socket.
void Connection::Fill() {
  while (output_.bytes() < kOutputBytesMax) {
    const uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size < 0) return End(EndKind::kProtocolError, nghttp2_strerror(static_cast<int>(size)));
    if (size > 0) {
      output_.Append(data, static_cast<size_t>(size));
      continue;
    }
    if (output_.bytes() >= kOutputBytesMax) return;
    // The library asks for what may leave: whoever has bytes and was not asked is stopped by a
    // window.
    while (!unserved_.alone()) {
      Stream& stream = static_cast<RingLink*>(unserved_.next)->stream;
      stream.in_ring_.Leave();
      LookWhyUnserved(stream);
    }
    if (ring_.alone()) return;
    ServeNext();
  }
}

void Connection::ServeNext() {
  Stream& stream = static_cast<RingLink*>(ring_.next)->stream;
  stream.in_ring_.Leave();
  stream.in_ring_.Join(unserved_);
  stream.served_ = false;
  // Fails harmlessly while the library has not sent the stream's headers.
  nghttp2_session_resume_data(session_, stream.id_);
}

void Connection::LookWhyUnserved(Stream& stream) {
  if (stream.end_framed_) return;
  const bool stream_window =
      nghttp2_session_get_stream_remote_window_size(session_, stream.id_) <= 0;
  const bool connection_window = nghttp2_session_get_remote_window_size(session_) <= 0;
  if (!stream_window && !connection_window) return;
  if (stream.out_.empty()) {
    if (stream.ending_ && stream.headers_framed_ && !stream.end_queued_) EndWithoutWindow(stream);
    return;
  }
  if (!stream_window) window_spent_ = true;
  MarkBlocked(stream, stream_window ? BlockedBy::kStreamWindow : BlockedBy::kConnectionWindow);
}

void Connection::MarkBlocked(Stream& stream, BlockedBy by) {
  if (stream.reset_waits_ && stream.reset_impatient_) return ResetSent(stream);
  stream.SetBlocked(by, now());
  stream.out_.Compact();
}

// The end of a direction without bytes needs no window (RFC 9113 section 6.9.1), but the library
// asks for none while the window is spent: a peer that gives credit only for whole requests would
// wait for ever. So this frame is written past it. It never learns that our side has ended, so the
// stream is closed by a RST_STREAM(NO_ERROR) once the peer has ended its own.
void Connection::EndWithoutWindow(Stream& stream) {
  constexpr uint8_t kEndStream = 1;
  const auto id = static_cast<uint32_t>(stream.id_);
  const std::array<uint8_t, 9> frame{0,
                                     0,
                                     0,
                                     0,
                                     kEndStream,
                                     static_cast<uint8_t>(id >> 24),
                                     static_cast<uint8_t>(id >> 16),
                                     static_cast<uint8_t>(id >> 8),
                                     static_cast<uint8_t>(id)};
  output_.Append(frame.data(), frame.size());
  stream.end_raw_ = true;
  stream.end_framed_ = true;
  stream.state_ = Next(stream.state_, StreamEvent::kLocalEnd);
}

bool Connection::WriteOut() {
  switch (output_.WriteTo(transport_)) {
    case Output::Written::kAll:
      return true;
    case Output::Written::kSome:
      return false;
    case Output::Written::kFailed:
      End(EndKind::kSocketError, std::strerror(errno));
      return false;
  }
  return false;
}

// What stays in the ring waits for the socket. Those that came last stand at the end.
void Connection::MarkRing() {
  for (Link* link = ring_.previous; link != &ring_;) {
    Stream& stream = static_cast<RingLink*>(link)->stream;
    link = link->previous;  // the stream may leave
    if (stream.blocked().since != 0) break;
    MarkBlocked(stream, BlockedBy::kSocket);
  }
  if (window_spent_) MarkWindowHeld();
}

// How much of what a stream has sent its receiver has not read: the window that it holds.
void Connection::MarkWindowHeld() {
  window_spent_ = nghttp2_session_get_remote_window_size(session_) <= 0;
  if (!window_spent_ || now() - held_marked_at_ < kHeldInterval) return;
  held_marked_at_ = now();
  const int64_t initial =
      nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
  for (Link* link = streams_.next; link != &streams_; link = link->next) {
    auto& stream = *static_cast<Stream*>(link);
    const int64_t left = nghttp2_session_get_stream_remote_window_size(session_, stream.id_);
    stream.window_held_.store(initial - left, std::memory_order_relaxed);
  }
}

void Connection::CheckRoom() {
  if (!room_changed_) return;
  room_changed_ = false;
  observer_.OnRoom();
}

}  // namespace lanekeeper::http2

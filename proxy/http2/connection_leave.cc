// How a connection takes its leave: GOAWAY in two steps, for a fault, and its end.
#include <utility>

#include "proxy/http2/connection.h"
#include "proxy/http2/session.h"

namespace lanekeeper::http2 {
namespace {

// How long a downstream may take to read our notice of a GOAWAY.
constexpr Instant kNoticePatience = 1'000'000'000;

}  // namespace

void Connection::ShutDown() {
  if (drain_notice_sent_ || ended_) return;
  drain_notice_sent_ = true;
  nghttp2_submit_shutdown_notice(session_);
  Ping();
  drain_timer_.Set(loop_.now() + kNoticePatience);
}

void Connection::SendFinalGoaway() {
  drain_timer_.Cancel();
  if (closing_ || lingering_) return End(end_.kind, {});
  if (goaway_sent_ || ended_) return;
  SendGoaway(nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR);
}

// Streams that are open go on; those above the last one are ignored.
void Connection::SendGoaway(int32_t last_id, uint32_t code) {
  goaway_sent_ = true;
  accepted_id_max_ = last_id;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_id, code, nullptr, 0);
  loop_.RequestFlush(*this);
}

// Whoever writes to a socket that is closed may lose what it has not read yet, its last status: so
// the peer closes first, unless it takes too long.
void Connection::Linger() {
  lingering_ = true;
  transport_.EndSending();
  drain_timer_.Set(loop_.now() + kNoticePatience);
}

// Unless one is noted: the first counts.
void Connection::NoteFault(uint32_t code, std::string_view why) {
  if (code == NGHTTP2_NO_ERROR || IsFault(end_.kind)) return;
  end_.kind = EndKind::kProtocolError;
  end_.text = nghttp2_http2_strerror(code);
  if (!why.empty()) end_.text.append(": ").append(why);
}

void Connection::Close(uint32_t code) {
  if (ended_ || closing_) return;
  if (lingering_) return End(end_.kind, {});
  closing_ = true;
  NoteFault(code, {});
  nghttp2_session_terminate_session(session_, code);
  // A peer that does not read is cut.
  drain_timer_.Set(loop_.now() + kNoticePatience);
  loop_.RequestFlush(*this);
}

// Streams first, the observer last; the object itself is destroyed between two steps.
void Connection::End(EndKind kind, std::string text) {
  if (ended_) return;
  ended_ = true;
  if (!IsFault(end_.kind)) {  // the first fault counts, however the socket closes then
    end_.kind = kind;
    if (!text.empty()) end_.text = std::move(text);
  }
  loop_.Forget(transport_.fd());
  transport_.Close();
  Leave();
  read_timer_.Cancel();
  drain_timer_.Cancel();
  patience_timer_.Cancel();
  output_.Clear();
  CloseStreams();
  options_.counts->AddEnd(end_);
  observer_.OnEnd(end_);
}

void Connection::CloseStreams() {
  while (!streams_.alone()) {
    auto& stream = *static_cast<Stream*>(streams_.next);
    nghttp2_session_set_stream_user_data(session_, stream.id_, nullptr);
    const bool unseen = options_.side == Side::kUpstream && stream.id_ > goaway_last_id_;
    Detach(stream);
    stream.OnClosed(unseen ? CloseCause::kNotProcessed : CloseCause::kConnectionLost, 0);
  }
}

}  // namespace lanekeeper::http2

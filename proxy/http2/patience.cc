// What a peer owes has a bound in time: a client's preface and SETTINGS and the acknowledgement of
// ours, and from both sides the rest of a control frame or header block that has begun. DATA may
// take as long as it likes: what has come of it is passed on. An upstream's SETTINGS are awaited
// by upstream/.
#include "proxy/http2/connection.h"
#include "proxy/http2/session.h"

namespace lanekeeper::http2 {

bool Connection::OwesHandshake() const {
  return options_.side == Side::kDownstream && !(ready_ && settings_taken_);
}

// After input. Feed has forgotten what was owed if another frame has begun. A timer that is set
// stays as it is: a busy connection moves none.
void Connection::WatchPatience() {
  const bool mid_frame =
      carry_size_ > 0 || block_open_ || (payload_left_ > 0 && payload_type_ != NGHTTP2_DATA);
  if (!mid_frame) {
    owed_since_ = 0;
    return;
  }
  if (owed_since_ == 0) owed_since_ = loop_.now();
  if (!patience_timer_.is_set()) patience_timer_.Set(owed_since_ + options_.patience);
}

void Connection::LosePatience() {
  if (ended_ || closing_) return;
  // We may have been the slow one: what has come meanwhile counts.
  ReadSocket();
  if (ended_ || closing_) return;
  const bool handshake = OwesHandshake();
  if (!handshake && owed_since_ == 0) return;
  const Instant due = (handshake ? began_ : owed_since_) + options_.patience;
  if (due > loop_.now()) return patience_timer_.Set(due);
  end_.kind = EndKind::kSlow;
  end_.text = handshake ? "the peer did not complete the handshake of HTTP/2 in time"
                        : "the peer did not complete a frame in time";
  if (sniffed_ == 0) return End(end_.kind, {});
  Close(handshake && ready_ ? NGHTTP2_SETTINGS_TIMEOUT : NGHTTP2_NO_ERROR);
}

}  // namespace lanekeeper::http2

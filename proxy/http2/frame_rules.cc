// What each frame is judged by before the library has it: floods, and streams that are closed.
#include <algorithm>
#include <string>

#include "proxy/http2/connection.h"
#include "proxy/http2/session.h"

namespace lanekeeper::http2 {

// False when the connection ends for it.
bool Connection::JudgeFrame(uint8_t type, uint8_t flags, uint32_t length, int32_t id) {
  if (options_.side == Side::kDownstream && !JudgeStream(type, flags, id)) return false;
  switch (type) {
    case NGHTTP2_DATA:
      if (length == 0 && (flags & NGHTTP2_FLAG_END_STREAM) == 0) CountFlood(FloodKind::kEmptyFrame);
      break;
    case NGHTTP2_CONTINUATION:
      CountFlood(FloodKind::kEmptyFrame);
      break;
    case NGHTTP2_PING:
      CountFlood(FloodKind::kPing);
      break;
    case NGHTTP2_SETTINGS:
      if ((flags & NGHTTP2_FLAG_ACK) == 0) CountFlood(FloodKind::kSettings);
      break;
    case NGHTTP2_PRIORITY:
      CountFlood(FloodKind::kPriority);
      break;
    case NGHTTP2_RST_STREAM: {
      // An upstream may reset what we ask of it. Clients reset streams that have been answered,
      // too: those cost nothing any more.
      const auto* stream = static_cast<Stream*>(nghttp2_session_get_stream_user_data(session_, id));
      if (stream == nullptr)
        CountFlood(FloodKind::kLateReset);
      else if (options_.side == Side::kDownstream && !stream->headers_sent_)
        CountFlood(FloodKind::kReset);
      break;
    }
    case NGHTTP2_WINDOW_UPDATE:
      CountFlood(FloodKind::kWindowUpdate);
      break;
    case NGHTTP2_GOAWAY:
      CountFlood(FloodKind::kGoaway);
      break;
    case NGHTTP2_HEADERS:
    case NGHTTP2_PUSH_PROMISE:
      break;
    default:
      CountFlood(FloodKind::kUnknownFrame);
  }
  return !ended_;
}

void Connection::CountFlood(FloodKind kind) {
  if (closing_ || floods_.Count(kind, loop_.now())) return;
  end_.flood = kind;
  end_.text = std::string("the peer floods us: ") + ToLabel(kind);
  end_.kind = EndKind::kFlood;
  Close(NGHTTP2_ENHANCE_YOUR_CALM);
}

// A client that breaks the rules of one stream after the other costs an upstream stream each
// (CVE-2025-8671). An upstream's malformed answers fail those RPCs and no others.
void Connection::CountForcedReset() {
  if (options_.side == Side::kDownstream) CountFlood(FloodKind::kForcedReset);
}

// A client's frame on a stream that is closed (RFC 9113 section 5.1). True where the library should
// go on with it.
bool Connection::JudgeStream(uint8_t type, uint8_t flags, int32_t id) {
  if (type == NGHTTP2_RST_STREAM) {
    closed_.AddPeers(id, StreamFate::kResetByPeer);
    return true;
  }
  if (type != NGHTTP2_DATA && type != NGHTTP2_HEADERS) return true;
  const StreamFate fate = closed_.Of(id);
  if (fate == StreamFate::kEndedByPeer) {
    Close(NGHTTP2_STREAM_CLOSED);
    return false;
  }
  if (fate == StreamFate::kResetByPeer) {
    CountFlood(FloodKind::kForcedReset);
    RejectStream(id, NGHTTP2_STREAM_CLOSED);
    return true;
  }
  if (type == NGHTTP2_HEADERS) {
    // Skipped by a higher id, it can never be opened (section 5.1.1).
    if (id <= last_id_ && fate == StreamFate::kNotClosed && !goaway_sent_ &&
        nghttp2_session_find_stream(session_, id) == nullptr) {
      Close(NGHTTP2_PROTOCOL_ERROR);
      return false;
    }
    last_id_ = std::max(last_id_, id);
  }
  if ((flags & NGHTTP2_FLAG_END_STREAM) != 0) closed_.AddPeers(id, StreamFate::kEndedByPeer);
  return true;
}

}  // namespace lanekeeper::http2

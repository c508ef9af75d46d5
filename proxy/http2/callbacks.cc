#include "proxy/http2/callbacks.h"

#include <algorithm>
#include <utility>

#include "proxy/http2/session.h"

namespace lanekeeper::http2 {
Connection& Callbacks::Of(void* user) { return *static_cast<Connection*>(user); }
Stream* Callbacks::Find(nghttp2_session* session, int32_t id) {
  return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
}

int Callbacks::OnBeginHeaders(nghttp2_session*, const nghttp2_frame*, void* user) {
  Connection& connection = Of(user);
  connection.block_.Clear();
  connection.block_too_large_ = false;
  return 0;
}

int Callbacks::OnHeader(nghttp2_session*, const nghttp2_frame*, const uint8_t* name,
                        size_t name_size, const uint8_t* value, size_t value_size, uint8_t flags,
                        void* user) {
  Connection& connection = Of(user);
  FieldList& block = connection.block_;
  if (connection.block_too_large_) return 0;
  if (block.list_bytes() + name_size + value_size + FieldList::kFieldOverheadBytes >
      connection.options_.header_list_bytes_max) {
    connection.block_too_large_ = true;
    return 0;
  }
  block.Add({reinterpret_cast<const char*>(name), name_size},
            {reinterpret_cast<const char*>(value), value_size},
            (flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0);
  return 0;
}

int Callbacks::OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  Connection& connection = Of(user);
  const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  switch (frame->hd.type) {
    case NGHTTP2_DATA:
      // Nothing but padding is as empty as no payload, which JudgeFrame counts.
      if (frame->data.padlen > 0 && frame->hd.length == frame->data.padlen) {
        connection.CountFlood(FloodKind::kEmptyFrame);
      }
      if (!end) return 0;
      if (Stream* stream = Find(session, frame->hd.stream_id)) {
        stream->OnRemoteEnd();
        if (stream->end_raw_) connection.RejectStream(frame->hd.stream_id, NGHTTP2_NO_ERROR);
      }
      return 0;
    case NGHTTP2_HEADERS:
      OnHeaderBlock(connection, session, *frame, end);
      return 0;
    case NGHTTP2_RST_STREAM:
      connection.reset_id_ = frame->hd.stream_id;
      AddOne(connection.options_.counts->resets_received);
      return 0;
    case NGHTTP2_SETTINGS:
      if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0)
        OnSettings(connection);
      else
        connection.settings_taken_ = true;
      return 0;
    case NGHTTP2_PING:
      if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) OnPong(connection);
      return 0;
    case NGHTTP2_GOAWAY:
      OnGoaway(connection, frame->goaway);
      return 0;
    default:
      return 0;
  }
}

void Callbacks::OnHeaderBlock(Connection& connection, nghttp2_session* session,
                              const nghttp2_frame& frame, bool end) {
  const int32_t id = frame.hd.stream_id;
  const bool too_large = connection.block_too_large_;
  if (frame.headers.cat == NGHTTP2_HCAT_REQUEST) {
    ++connection.open_streams_;
    // Our GOAWAY says that it is not run, and may not have left yet: the client may repeat it.
    if (id > connection.accepted_id_max_) return;
    connection.observer_.OnRequest(id, connection.block_, too_large, end);
    return;
  }
  Stream* stream = Find(session, id);
  if (stream == nullptr) {
    // Trailers of a request that was answered already must end it all the same (RFC 9113 8.1).
    if (!end) connection.RejectMalformed(id);
    return;
  }
  if (too_large) stream->fields_too_large_ = true;
  if (connection.options_.side == Side::kUpstream && !stream->has_headers_) {
    const std::string_view status = connection.block_.Find(":status");
    const bool informational = status.size() == 3 && status[0] == '1';
    if (!too_large && (status.size() != 3 || (informational && end))) {
      return connection.Malformed(*stream);
    }
    if (informational) connection.CountFlood(FloodKind::kEmptyFrame);
    if (!informational) connection.answered_ = true;
    if (!informational) stream->OnHeaders(connection.block_, end);
    return;
  }
  for (const Field field : connection.block_) {
    if (field.name.starts_with(':')) return connection.Malformed(*stream);
  }
  if (!end) return connection.Malformed(*stream);
  stream->OnTrailers(connection.block_);
  // The library does not know that our side has ended (EndWithoutWindow).
  if (stream->end_raw_) connection.RejectStream(id, NGHTTP2_NO_ERROR);
}

void Callbacks::OnSettings(Connection& connection) {
  if (!connection.ready_) {
    connection.ready_ = true;
    connection.observer_.OnReady();
  }
  connection.room_changed_ = true;
}

void Callbacks::OnPong(Connection& connection) {
  if (connection.drain_notice_sent_) connection.SendFinalGoaway();
  connection.observer_.OnPong();
}

void Callbacks::OnGoaway(Connection& connection, const nghttp2_goaway& frame) {
  AddOne(connection.options_.counts->goaways_received);
  connection.going_away_ = true;
  connection.goaway_last_id_ = frame.last_stream_id;
  Goaway goaway{frame.last_stream_id, frame.error_code, {}};
  if (frame.opaque_data_len > 0) {
    goaway.debug.assign(reinterpret_cast<const char*>(frame.opaque_data), frame.opaque_data_len);
  }
  connection.observer_.OnGoaway(goaway);
}

// Where it names an error that nobody has noted the library has found the peer's fault itself, and
// says which in the frame.
void Callbacks::OnGoawaySent(Connection& connection, const nghttp2_goaway& frame) {
  AddOne(connection.options_.counts->goaways_sent);
  connection.NoteFault(frame.error_code,
                       {reinterpret_cast<const char*>(frame.opaque_data), frame.opaque_data_len});
}

int Callbacks::OnData(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* data,
                      size_t size, void* user) {
  Connection& connection = Of(user);
  // Connection credit goes back on receipt: one stalled stream must not stall its neighbours.
  nghttp2_session_consume_connection(session, size);
  Stream* stream = Find(session, id);
  if (stream == nullptr) {
    nghttp2_session_consume_stream(session, id, size);
    return 0;
  }
  if (connection.options_.side == Side::kUpstream && !stream->has_headers_) {
    connection.Malformed(*stream);  // behind an informational answer
    return 0;
  }
  stream->OnData(connection.reading_, data, static_cast<uint32_t>(size));
  return 0;
}

int Callbacks::OnStreamClose(nghttp2_session* session, int32_t id, uint32_t code, void* user) {
  Connection& connection = Of(user);
  if (connection.open_streams_ > 0) --connection.open_streams_;
  connection.room_changed_ = true;
  connection.closed_.AddOurs(id);
  if (Stream* stream = Find(session, id)) connection.StreamClosed(*stream, code);
  return 0;
}

int Callbacks::OnFrameSend(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  Connection& connection = Of(user);
  const uint8_t type = frame->hd.type;
  if (type == NGHTTP2_RST_STREAM) {
    AddOne(connection.options_.counts->resets_sent);
    ++connection.resets_sent_;
    connection.floods_.Allow(FloodKind::kLateReset, 1);
    // Our own resets have let go of the stream before; this one is the library's, for a broken
    // rule.
    const uint32_t code = frame->rst_stream.error_code;
    if (code != NGHTTP2_NO_ERROR && code != NGHTTP2_INTERNAL_ERROR &&
        Find(session, frame->hd.stream_id) != nullptr) {
      connection.CountForcedReset();
    }
    return 0;
  }
  if (type == NGHTTP2_GOAWAY) OnGoawaySent(connection, frame->goaway);
  if (type != NGHTTP2_HEADERS && type != NGHTTP2_DATA) return 0;
  const int32_t id = frame->hd.stream_id;
  if (type == NGHTTP2_HEADERS || connection.resets_waiting_ > 0) OnSent(connection, session, id);
  if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  // Some clients reset each stream that has been answered.
  connection.floods_.Allow(FloodKind::kLateReset, 1);
  if (Stream* stream = Find(session, id)) {
    stream->end_framed_ = true;
    stream->state_ = Next(stream->state_, StreamEvent::kLocalEnd);
  }
  // The whole answer has gone and the request goes on: nobody wants the rest (RFC 9113 8.1).
  if (connection.options_.side == Side::kDownstream &&
      nghttp2_session_get_stream_remote_close(session, id) == 0) {
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
  }
  return 0;
}

// Headers have left, or bytes: a reset may have waited for them.
void Callbacks::OnSent(Connection& connection, nghttp2_session* session, int32_t id) {
  Stream* stream = Find(session, id);
  if (stream == nullptr) return;
  stream->headers_framed_ = true;
  stream->headers_out_ = {};  // written: an idle stream keeps nothing of them
  if (!stream->reset_waits_ || !stream->out_.empty()) return;
  connection.ResetSent(*stream);
}

// A response that the library could not send: its stream would stay open for ever. A request that
// was not sent is closed by the library, and the peer has never heard of it.
int Callbacks::OnFrameNotSend(nghttp2_session* session, const nghttp2_frame* frame, int,
                              void* user) {
  if (Of(user).options_.side == Side::kUpstream) return 0;
  if (frame->hd.type == NGHTTP2_HEADERS && frame->hd.stream_id > 0) {
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                              NGHTTP2_INTERNAL_ERROR);
  }
  return 0;
}

// The library is about to reset the stream or end the connection for it.
int Callbacks::OnInvalidFrame(nghttp2_session* session, const nghttp2_frame* frame, int,
                              void* user) {
  Connection& connection = Of(user);
  if (frame->hd.type == NGHTTP2_HEADERS) connection.closed_.AddOurs(frame->hd.stream_id);
  // Otherwise it counts when the reset leaves.
  if (Find(session, frame->hd.stream_id) == nullptr) connection.CountForcedReset();
  return 0;
}

ssize_t Callbacks::ReadData(nghttp2_session* session, int32_t id, uint8_t*, size_t length,
                            uint32_t* flags, nghttp2_data_source* source, void* user) {
  Connection& connection = Of(user);
  Stream& stream = *static_cast<Stream*>(source->ptr);
  if (stream.end_queued_ || stream.end_raw_) return NGHTTP2_ERR_DEFERRED;
  if (stream.served_) {
    // It has had its share; the next in the ring is due.
    stream.served_ = false;
    stream.in_ring_.Leave();
    if (!stream.out_.empty() || stream.ending_) stream.in_ring_.Join(connection.ring_);
    return NGHTTP2_ERR_DEFERRED;
  }
  const size_t size = std::min(length, stream.out_.bytes());
  const bool last = stream.ending_ && size == stream.out_.bytes();
  if (size == 0 && !last) return NGHTTP2_ERR_DEFERRED;
  stream.in_ring_.Leave();
  stream.served_ = !last;
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (last) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!stream.trailers_out_.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      stream.end_queued_ = true;
      NameValues& trailers = *connection.pairs_;
      const nghttp2_nv* pairs = trailers.From(stream.trailers_out_, NameValues::Bytes::kBorrowed);
      nghttp2_submit_trailer(session, id, pairs, trailers.size());
    }
  }
  return static_cast<ssize_t>(size);
}

int Callbacks::SendData(nghttp2_session*, nghttp2_frame*, const uint8_t* header, size_t length,
                        nghttp2_data_source* source, void* user) {
  Connection& connection = Of(user);
  Stream& stream = *static_cast<Stream*>(source->ptr);
  constexpr size_t kFrameHeaderBytes = 9;
  connection.output_.Append(header, kFrameHeaderBytes);
  stream.out_.Consume(length, [&](Block* block, const uint8_t* data, uint32_t size) {
    connection.output_.Append(block, data, size);
  });
  // Peers answer data with credit, and measure the way with PINGs (grpc-go does so all the time).
  connection.floods_.Allow(FloodKind::kWindowUpdate, 4);
  connection.floods_.Allow(FloodKind::kPing, 1);
  if (stream.source_ != nullptr && length > 0) stream.source_->ReturnCredit(length);
  stream.OnFramed();
  if (!stream.out_.empty()) stream.in_ring_.Join(connection.unserved_);
  return connection.output_.bytes() >= kOutputBytesMax ? NGHTTP2_ERR_PAUSE : 0;
}

}  // namespace lanekeeper::http2

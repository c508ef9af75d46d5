#include "tests/conformance/wire/session_callbacks.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace lanekeeper::testing::wire {
namespace {

Connection& Of(void* user) { return *static_cast<Connection*>(user); }

}  // namespace

ssize_t SessionCallbacks::Send(nghttp2_session*, const uint8_t* data, size_t size, int,
                               void* user) {
  const ssize_t n = send(Of(user).socket_.fd(), data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n >= 0) return n;
  if (errno != EAGAIN) return NGHTTP2_ERR_CALLBACK_FAILURE;
  Of(user).write_blocked_ = true;
  return NGHTTP2_ERR_WOULDBLOCK;
}

ssize_t SessionCallbacks::ReadStep(nghttp2_session*, int32_t, uint8_t* to, size_t size,
                                   uint32_t* flags, nghttp2_data_source* source, void*) {
  Stream& stream = *static_cast<Stream*>(source->ptr);
  const std::string& bytes = stream.steps_.front().bytes;
  const size_t count = std::min(size, bytes.size() - stream.step_bytes_sent_);
  bytes.copy(reinterpret_cast<char*>(to), count, stream.step_bytes_sent_);
  stream.step_bytes_sent_ += count;
  if (stream.step_bytes_sent_ == bytes.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(count);
}

int SessionCallbacks::BeforeSend(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  const bool acknowledges =
      frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
  return acknowledges && !Of(user).manners_.acknowledges_settings ? NGHTTP2_ERR_CANCEL : 0;
}

ssize_t SessionCallbacks::Padding(nghttp2_session*, const nghttp2_frame* frame, size_t max,
                                  void* user) {
  const size_t padded = frame->hd.type == NGHTTP2_DATA ? Of(user).manners_.padding : 0;
  return static_cast<ssize_t>(std::min(max, frame->hd.length + padded));
}

int SessionCallbacks::Sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  Stream* stream = Of(user).Find(frame->hd.stream_id);
  if (stream == nullptr || stream->steps_.empty()) return 0;
  const Stream::Step& step = stream->steps_.front();
  const bool done =
      frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_RST_STREAM ||
      (frame->hd.type == NGHTTP2_DATA && stream->step_bytes_sent_ == step.bytes.size());
  if (done) Of(user).StepSent(*stream);
  return 0;
}

int SessionCallbacks::NotSent(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
  Stream* stream = Of(user).Find(frame->hd.stream_id);
  if (stream != nullptr) Of(user).StepSent(*stream);
  return 0;
}

int SessionCallbacks::BeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  Connection& connection = Of(user);
  if (connection.Find(frame->hd.stream_id) != nullptr) return 0;
  connection.streams_[frame->hd.stream_id] =
      std::make_shared<Stream>(connection, frame->hd.stream_id);
  connection.open_streams_peak_ =
      std::max(connection.open_streams_peak_, ++connection.open_streams_);
  return 0;
}

int SessionCallbacks::Field(nghttp2_session*, const nghttp2_frame* frame, nghttp2_rcbuf* name,
                            nghttp2_rcbuf* value, uint8_t, void* user) {
  Stream* stream = Of(user).Find(frame->hd.stream_id);
  if (stream == nullptr) return 0;
  const auto text = [](nghttp2_rcbuf* buffer) {
    const nghttp2_vec bytes = nghttp2_rcbuf_get_buf(buffer);
    return std::string(reinterpret_cast<const char*>(bytes.base), bytes.len);
  };
  stream->fields_coming_.emplace_back(text(name), text(value));
  return 0;
}

int SessionCallbacks::Data(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* data,
                           size_t size, void* user) {
  nghttp2_session_consume_connection(session, size);
  Stream* stream = Of(user).Find(id);
  if (stream == nullptr) return 0;
  if (stream->reading_) nghttp2_session_consume_stream(session, id, size);
  if (stream->leaving_) return 0;
  stream->messages_.Read(std::string(reinterpret_cast<const char*>(data), size), stream->events_);
  return 0;
}

int SessionCallbacks::Frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  Connection& connection = Of(user);
  const bool ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
  if (frame->hd.type == NGHTTP2_PING && ack) --connection.pings_unanswered_;
  if (frame->hd.type == NGHTTP2_GOAWAY) connection.goaway_came_ = true;
  Stream* stream = connection.Find(frame->hd.stream_id);
  if (stream == nullptr) return 0;
  const bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (frame->hd.type == NGHTTP2_HEADERS) connection.OnFields(*stream, last);
  if (frame->hd.type == NGHTTP2_DATA && last) {
    connection.OnEnd(*stream, {Event::Kind::kHalfClose});
  }
  if (frame->hd.type == NGHTTP2_RST_STREAM) {
    connection.OnEnd(*stream,
                     {.kind = Event::Kind::kReset, .reset_code = frame->rst_stream.error_code});
  }
  return 0;
}

int SessionCallbacks::Closed(nghttp2_session*, int32_t id, uint32_t, void* user) {
  Connection& connection = Of(user);
  Stream* stream = connection.Find(id);
  if (stream == nullptr) return 0;
  stream->closed_ = true;
  if (connection.on_request_ != nullptr) --connection.open_streams_;
  return 0;
}

nghttp2_session_callbacks* SessionCallbacks::New() {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_send_callback(callbacks, Send);
  nghttp2_session_callbacks_set_before_frame_send_callback(callbacks, BeforeSend);
  nghttp2_session_callbacks_set_select_padding_callback(callbacks, Padding);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Sent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, NotSent);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, BeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback2(callbacks, Field);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Closed);
  return callbacks;
}

}  // namespace lanekeeper::testing::wire

#include "tests/bench/load/http2_callbacks.h"

#include <cstring>
#include <string>

#include "tests/bench/load/http2_connection.h"
#include "tests/bench/load/http2_headers.h"

namespace bench {
namespace {

std::string_view View(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

Http2Connection& Connection(void* user) { return *static_cast<Http2Connection*>(user); }

}  // namespace

// The side of a connection that nghttp2 calls.
struct Http2Callbacks {
  static int OnBeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Http2Connection& connection = Connection(user);
    if (connection.role_ == Http2Connection::Role::kServer &&
        frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      const int32_t id = frame->hd.stream_id;
      auto stream = connection.factory_(connection);
      stream->id_ = id;
      nghttp2_session_set_stream_user_data(session, id, stream.get());
      connection.streams_.emplace(id, std::move(stream));
    }
    return 0;
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                      void* user) {
    if (Http2Stream* stream = Connection(user).Find(frame->hd.stream_id)) {
      stream->OnHeader(View(name, name_size), View(value, value_size));
    }
    return 0;
  }

  static int OnDataChunk(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* data,
                         size_t size, void* user) {
    nghttp2_session_consume_connection(session, size);
    if (Http2Stream* stream = Connection(user).Find(id)) stream->OnData(View(data, size));
    return 0;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Connection& connection = Connection(user);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
      case NGHTTP2_DATA:
        if (Http2Stream* stream = connection.Find(frame->hd.stream_id)) {
          if (frame->hd.type == NGHTTP2_HEADERS) stream->OnHeadersEnd();
          if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) stream->OnPeerEnd();
        }
        break;
      case NGHTTP2_SETTINGS:
        if (!(frame->hd.flags & NGHTTP2_FLAG_ACK)) connection.peer_settings_known_ = true;
        break;
      case NGHTTP2_GOAWAY:
        connection.protocol_error_ =
            std::string("GOAWAY ") + nghttp2_http2_strerror(frame->goaway.error_code) + " " +
            std::string(View(frame->goaway.opaque_data, frame->goaway.opaque_data_len));
        break;
      default:
        break;
    }
    return 0;
  }

  static int OnFrameNotSent(nghttp2_session*, const nghttp2_frame*, int error, void* user) {
    // Trailers of a stream that the peer has reset are no error of anyone's.
    if (error != NGHTTP2_ERR_STREAM_CLOSED && error != NGHTTP2_ERR_STREAM_CLOSING &&
        Connection(user).protocol_error_.empty()) {
      Connection(user).protocol_error_ = nghttp2_strerror(error);
    }
    return 0;
  }

  static int OnStreamClose(nghttp2_session*, int32_t id, uint32_t error_code, void* user) {
    Http2Connection& connection = Connection(user);
    std::string reason;
    if (error_code != NGHTTP2_NO_ERROR) {
      reason = std::string("stream closed: ") + nghttp2_http2_strerror(error_code);
      if (!connection.protocol_error_.empty()) reason += "; " + connection.protocol_error_;
    }
    connection.CloseStream(id, reason);
    return 0;
  }

  static int OnError(nghttp2_session*, int, const char* text, size_t size, void* user) {
    Connection(user).protocol_error_.assign(text, size);
    return 0;
  }

  // Says how much goes into the next DATA frame; the bytes go straight into the output, without
  // a copy in nghttp2's buffer, in SendData.
  static ssize_t ReadData(nghttp2_session* session, int32_t id, uint8_t*, size_t size,
                          uint32_t* flags, nghttp2_data_source*, void* user) {
    Http2Connection& connection = Connection(user);
    Http2Stream* stream = connection.Find(id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const Http2Stream::Ready ready = stream->ReadyToSend(size);
    if (ready.bytes == 0 && !ready.end) {
      stream->paused_ = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (ready.end) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (connection.role_ == Http2Connection::Role::kServer) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_submit_trailer(session, id, &kGrpcStatusOk, 1);
      }
    }
    return static_cast<ssize_t>(ready.bytes);
  }

  static int SendData(nghttp2_session*, nghttp2_frame* frame, const uint8_t* header, size_t size,
                      nghttp2_data_source*, void* user) {
    constexpr size_t kFrameHeaderSize = 9;
    Http2Connection& connection = Connection(user);
    Http2Stream* stream = connection.Find(frame->hd.stream_id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    char* to = connection.output_.get() + connection.output_end_;
    std::memcpy(to, header, kFrameHeaderSize);
    stream->Take(to + kFrameHeaderSize, size);
    connection.output_end_ += kFrameHeaderSize + size;
    // Pausing ends this call of nghttp2's, which would otherwise go on with the next frame.
    return connection.output_end_ >= Http2Connection::kWriteSize ? NGHTTP2_ERR_PAUSE : 0;
  }
};

const nghttp2_session_callbacks* SharedCallbacks() {
  static const nghttp2_session_callbacks* const shared = [] {
    nghttp2_session_callbacks* to = nullptr;
    nghttp2_session_callbacks_new(&to);
    nghttp2_session_callbacks_set_on_begin_headers_callback(to, Http2Callbacks::OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(to, Http2Callbacks::OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(to, Http2Callbacks::OnDataChunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(to, Http2Callbacks::OnFrame);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(to, Http2Callbacks::OnFrameNotSent);
    nghttp2_session_callbacks_set_on_stream_close_callback(to, Http2Callbacks::OnStreamClose);
    nghttp2_session_callbacks_set_error_callback2(to, Http2Callbacks::OnError);
    nghttp2_session_callbacks_set_send_data_callback(to, Http2Callbacks::SendData);
    return to;
  }();
  return shared;
}

nghttp2_data_provider SendFromStream() { return {{0}, Http2Callbacks::ReadData}; }

}  // namespace bench

#include "tests/bench/load/http2_connection.h"

#include <sys/epoll.h>

#include <array>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "tests/bench/load/http2_callbacks.h"
#include "tests/bench/load/http2_headers.h"

namespace bench {
namespace {

// Wide, so that neither end of a benchmark is what holds the data up.
constexpr int32_t kStreamWindow = 1 << 20;
constexpr int32_t kConnectionWindow = 16 << 20;
// No benchmark needs more.
constexpr uint32_t kConcurrentStreams = 1'000'000;

// Output is filled until it is kWriteSize or more; a frame of nghttp2's is well below the slack.
constexpr size_t kOutputCapacity = Http2Connection::kWriteSize + (64 << 10);

constexpr size_t kReadSize = 256 << 10;

nghttp2_session* NewSession(Http2Connection::Role role, void* user) {
  nghttp2_option* options = nullptr;
  nghttp2_option_new(&options);
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_no_closed_streams(options, 1);
  nghttp2_session* session = nullptr;
  const auto create = role == Http2Connection::Role::kClient ? nghttp2_session_client_new2
                                                             : nghttp2_session_server_new2;
  const int error = create(&session, SharedCallbacks(), user, options);
  nghttp2_option_del(options);
  if (error != 0) throw std::runtime_error(nghttp2_strerror(error));
  return session;
}

}  // namespace

Http2Connection::Http2Connection(EventLoop& loop, std::unique_ptr<Transport> transport, Role role,
                                 StreamFactory factory)
    : loop_(loop),
      transport_(std::move(transport)),
      role_(role),
      factory_(std::move(factory)),
      session_(NewSession(role, this)),
      output_(new char[kOutputCapacity]) {
  const std::array<nghttp2_settings_entry, 2> settings = {{
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kConcurrentStreams},
  }};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
  loop_.Watch(transport_->fd(), EPOLLIN, *this);
  MarkDirty();
}

Http2Connection::~Http2Connection() {
  loop_.Forget(transport_->fd(), *this);
  nghttp2_session_del(session_);
}

void Http2Connection::OpenStream(std::string_view scheme, std::string_view path,
                                 std::unique_ptr<Http2Stream> stream) {
  const std::array<nghttp2_nv, 6> headers = {
      Header(":method", "POST"),
      Header(":scheme", scheme),
      Header(":path", path),
      Header(":authority", "localhost"),
      kContentType,
      Header("te", "trailers"),
  };
  const nghttp2_data_provider provider = SendFromStream();
  const int32_t id = closed_ ? -1
                             : nghttp2_submit_request(session_, nullptr, headers.data(),
                                                      headers.size(), &provider, stream.get());
  if (id < 0) return stream->OnClose(closed_ ? close_reason_ : nghttp2_strerror(id));
  stream->id_ = id;
  streams_.emplace(id, std::move(stream));
  MarkDirty();
}

void Http2Connection::Respond(Http2Stream& stream) {
  const std::array<nghttp2_nv, 2> headers = {Header(":status", "200"), kContentType};
  const nghttp2_data_provider provider = SendFromStream();
  nghttp2_submit_response(session_, stream.id_, headers.data(), headers.size(), &provider);
  MarkDirty();
}

void Http2Connection::Resume(Http2Stream& stream) {
  if (!std::exchange(stream.paused_, false)) return;
  nghttp2_session_resume_data(session_, stream.id_);
  MarkDirty();
}

void Http2Connection::Reset(Http2Stream& stream) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id_, NGHTTP2_CANCEL);
  MarkDirty();
}

void Http2Connection::Consume(Http2Stream& stream, size_t bytes) {
  nghttp2_session_consume_stream(session_, stream.id_, bytes);
}

void Http2Connection::CloseGracefully() {
  nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
  MarkDirty();
}

uint32_t Http2Connection::peer_concurrent_streams_max() const {
  return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

void Http2Connection::OnEvents(uint32_t epoll_events) {
  if (closed_) return;
  if (epoll_events & EPOLLOUT) WatchWritable(false);
  if (epoll_events & (EPOLLIN | EPOLLHUP | EPOLLERR)) ReadInput();
  // Also after a mere read: it may have been what a TLS handshake waited for to go on writing.
  if (!closed_) MarkDirty();
}

void Http2Connection::ReadInput() {
  static char buffer[kReadSize];  // one thread; empty again before anybody else reads
  do {
    const IoResult read = transport_->Read(buffer, kReadSize);
    if (read.state == IoResult::State::kClosed) return Close(transport_->error());
    if (read.state == IoResult::State::kWantWrite) WatchWritable(true);
    if (read.state != IoResult::State::kOk) return;
    loop_.Tick();
    const ssize_t used =
        nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(buffer), read.bytes);
    if (used < 0) return Close(std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(used)));
  } while (transport_->HasBufferedInput());
}

void Http2Connection::Flush() {
  dirty_ = false;
  if (closed_ || watching_writable_) return;
  const bool refilled = output_begin_ == output_end_;
  if (refilled) FillOutput();
  if (output_begin_ < output_end_) WriteOutput();
  if (closed_ || output_begin_ < output_end_) return;
  if (more_output_ || !refilled) return MarkDirty();
  if (!nghttp2_session_want_read(session_) && !nghttp2_session_want_write(session_)) {
    Close(protocol_error_.empty() ? "connection ended" : protocol_error_);
  }
}

void Http2Connection::FillOutput() {
  output_begin_ = output_end_ = 0;
  more_output_ = true;
  while (output_end_ < kWriteSize) {
    const uint8_t* frames = nullptr;
    const size_t end_before = output_end_;
    const ssize_t size = nghttp2_session_mem_send(session_, &frames);
    if (size < 0) return Close(std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(size)));
    if (size == 0 && output_end_ == end_before) {
      more_output_ = false;
      return;
    }
    // Of a DATA frame nothing is left to copy: SendData has put it in place.
    if (size > 0) std::memcpy(output_.get() + output_end_, frames, static_cast<size_t>(size));
    output_end_ += static_cast<size_t>(size);
  }
}

void Http2Connection::WriteOutput() {
  const IoResult written =
      transport_->Write(output_.get() + output_begin_, output_end_ - output_begin_);
  switch (written.state) {
    case IoResult::State::kClosed:
      return Close(transport_->error());
    case IoResult::State::kWantRead:
      return;
    case IoResult::State::kWantWrite:
      return WatchWritable(true);
    case IoResult::State::kOk:
      output_begin_ += written.bytes;
      if (output_begin_ < output_end_) WatchWritable(true);
  }
}

void Http2Connection::MarkDirty() {
  if (!std::exchange(dirty_, true)) loop_.FlushLater(*this);
}

void Http2Connection::WatchWritable(bool on) {
  if (std::exchange(watching_writable_, on) == on) return;
  loop_.Change(transport_->fd(), on ? EPOLLIN | EPOLLOUT : EPOLLIN, *this);
}

void Http2Connection::Close(const std::string& reason) {
  if (std::exchange(closed_, true)) return;
  close_reason_ = reason;
  loop_.Forget(transport_->fd(), *this);
  for (auto& [id, stream] : std::exchange(streams_, {})) stream->OnClose(reason);
}

void Http2Connection::CloseStream(int32_t id, const std::string& reason) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const std::unique_ptr<Http2Stream> stream = std::move(found->second);
  streams_.erase(found);
  stream->OnClose(reason);
}

Http2Stream* Http2Connection::Find(int32_t id) {
  return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session_, id));
}

}  // namespace bench

#include "tests/conformance/wire/connection.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>

#include "tests/conformance/wire/session_callbacks.h"

namespace lanekeeper::testing::wire {
namespace {

// More than any case sends: no limit of the library may decide what a case shows.
constexpr size_t kHeaderBlockBytesMax = 16 * 1024 * 1024;

std::vector<nghttp2_nv> ToNv(const Fields& fields) {
  std::vector<nghttp2_nv> nv;
  for (const auto& [name, value] : fields) {
    nv.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                  reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(),
                  value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return nv;
}

}  // namespace

Connection::Connection(const std::string& target, const Manners& manners)
    : socket_(Socket::Dial(target)), wake_(eventfd(0, EFD_CLOEXEC)), manners_(manners) {
  Begin(false, manners);
}

Connection::Connection(Socket socket, const Manners& manners, OnRequest on_request)
    : socket_(std::move(socket)),
      wake_(eventfd(0, EFD_CLOEXEC)),
      manners_(manners),
      on_request_(std::move(on_request)) {
  Begin(true, manners);
}

void Connection::Begin(bool server, const Manners& manners) {
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_http_messaging(option, 1);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_max_send_header_block_length(option, kHeaderBlockBytesMax);
  nghttp2_option_set_max_continuations(option, 1000);
  nghttp2_option_set_stream_reset_rate_limit(option, 1000000, 1000000);
  nghttp2_session_callbacks* callbacks = SessionCallbacks::New();
  const auto create = server ? nghttp2_session_server_new2 : nghttp2_session_client_new2;
  create(&session_, callbacks, this, option);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_option_del(option);
  Settings(manners.settings);
  reading_ = std::thread([this] { ReadUntilClosed(); });
}

Connection::~Connection() {
  Close();
  nghttp2_session_del(session_);
}

void Connection::ReadUntilClosed() {
  std::array<uint8_t, 65536> buffer;
  for (;;) {
    std::unique_lock lock(mutex_);
    pollfd ready[] = {
        {socket_.fd(), static_cast<short>(POLLIN | (write_blocked_ ? POLLOUT : 0)), 0},
        {wake_.fd(), POLLIN, 0}};
    lock.unlock();
    poll(ready, 2, -1);
    uint64_t count = 0;
    if (ready[1].revents != 0 && read(wake_.fd(), &count, sizeof count) < 0) break;
    ssize_t n = 1;
    const bool readable = (ready[0].revents & ~POLLOUT) != 0;
    if (readable) n = recv(socket_.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    lock.lock();
    if (n <= 0) break;
    if (readable && nghttp2_session_mem_recv(session_, buffer.data(), static_cast<size_t>(n)) < 0)
      break;
    write_blocked_ = false;
    Flush();
    // After a connection error of the peer's libnghttp2 has said GOAWAY and listens no more.
    if (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0)
      break;
  }
  socket_.ShutDown();
  std::lock_guard lock(mutex_);
  OnLost();
}

std::shared_ptr<Stream> Connection::NewStream() {
  std::lock_guard lock(mutex_);
  return unborn_.emplace_back(std::make_shared<Stream>(*this));
}

Stream* Connection::Find(int32_t id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

void Connection::SubmitNext(Stream& stream) {
  if (stream.step_in_flight_ || stream.steps_.empty() || stream.closed_ || lost_) return;
  const Stream::Step& step = stream.steps_.front();
  const uint8_t flags = step.last ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE;
  stream.step_in_flight_ = true;
  stream.step_bytes_sent_ = 0;
  switch (step.kind) {
    case Stream::Step::Kind::kHeaders: {
      const std::vector<nghttp2_nv> nv = ToNv(step.fields);
      const int32_t id = nghttp2_submit_headers(session_, flags, stream.id_, nullptr, nv.data(),
                                                nv.size(), nullptr);
      if (stream.id_ >= 0) break;
      stream.id_ = id;
      const auto born = std::find_if(unborn_.begin(), unborn_.end(), [&](const auto& candidate) {
        return candidate.get() == &stream;
      });
      streams_[id] = std::move(*born);
      unborn_.erase(born);
      break;
    }
    case Stream::Step::Kind::kData: {
      const nghttp2_data_provider provider{{.ptr = &stream}, SessionCallbacks::ReadStep};
      nghttp2_submit_data(session_, flags, stream.id_, &provider);
      break;
    }
    case Stream::Step::Kind::kReset:
      nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id_, step.reset_code);
  }
}

void Connection::StepSent(Stream& stream) {
  if (!stream.step_in_flight_) return;
  stream.step_in_flight_ = false;
  stream.steps_.pop_front();
  SubmitNext(stream);
  changed_.notify_all();
}

void Connection::OnFields(Stream& stream, bool last) {
  const bool from_client = on_request_ != nullptr;
  Event event{Event::Kind::kHeaders, std::exchange(stream.fields_coming_, {})};
  if (stream.leaving_) return;
  if (last && !from_client) {
    event.kind = stream.headers_came_ ? Event::Kind::kTrailers : Event::Kind::kTrailersOnly;
  }
  const bool first = !std::exchange(stream.headers_came_, true);
  if (last && !from_client) {
    OnEnd(stream, std::move(event));
  } else {
    stream.events_.push_back(std::move(event));
  }
  if (last && from_client) OnEnd(stream, {Event::Kind::kHalfClose});
  if (first && from_client) on_request_(streams_[stream.id_]);
}

void Connection::OnEnd(Stream& stream, Event event) {
  if (stream.leaving_ || stream.closed_) return;
  stream.messages_.End(stream.events_);
  stream.events_.push_back(std::move(event));
  stream.ended_ = true;
}

void Connection::OnLost() {
  lost_ = true;
  for (auto& [id, stream] : streams_) {
    if (stream->closed_) continue;
    OnEnd(*stream, {Event::Kind::kConnectionLost});
    stream->closed_ = true;
  }
  changed_.notify_all();
}

void Connection::Flush() {
  if (!lost_) nghttp2_session_send(session_);
  const uint64_t one = 1;
  if (write_blocked_ && write(wake_.fd(), &one, sizeof one) < 0) lost_ = true;
  changed_.notify_all();
}

void Connection::Ping() {
  std::lock_guard lock(mutex_);
  ++pings_unanswered_;
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  Flush();
}

bool Connection::AwaitPingsAnswered() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [this] { return pings_unanswered_ == 0 || lost_; }) &&
         pings_unanswered_ == 0;
}

void Connection::GoAway(uint32_t code) {
  std::lock_guard lock(mutex_);
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), code, nullptr, 0);
  Flush();
}

bool Connection::AwaitGoAway(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [this] { return goaway_came_ || lost_; }) &&
         goaway_came_;
}

bool Connection::AwaitLost(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [this] { return lost_; });
}

void Connection::Settings(const std::vector<nghttp2_settings_entry>& settings) {
  std::lock_guard lock(mutex_);
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  Flush();
}

void Connection::Cut() { socket_.ShutDown(); }

void Connection::Close() {
  Cut();
  if (reading_.joinable()) reading_.join();
}

size_t Connection::open_streams_peak() const {
  std::lock_guard lock(mutex_);
  return open_streams_peak_;
}

}  // namespace lanekeeper::testing::wire

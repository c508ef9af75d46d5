// The life of a connection: settings, streams, endings.
#include "proxy/http2/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/http2/session.h"

namespace lanekeeper::http2 {
namespace {

// More than limits.open_rpcs would ever want: we refuse by status, clients would queue in silence.
constexpr uint32_t kStreamsAnnounced = 1'000'000;
constexpr uint32_t kStreamWindow = 64 * 1024;
// Connection windows are never backpressure.
constexpr int32_t kConnectionWindow = 1 << 30;
// To how much a stream's window may grow.
constexpr uint32_t kStreamWindowMax = 1024 * 1024;
// While memory is short, a stream that holds more gets no credit. Less than half of a window, which
// is what must have been given back before the library tells the peer.
constexpr size_t kLeanBytes = 16 * 1024;
// Three quarters of all ids: grpc-go looks for another connection then.
constexpr uint32_t kIdsUsedMax = 3u << 29;

}  // namespace

Connection::Connection(EventLoop& loop, Transport transport, const ConnectionOptions& options,
                       ConnectionObserver& observer)
    : loop_(loop),
      observer_(observer),
      options_(options),
      transport_(std::move(transport)),
      pairs_(std::make_unique<NameValues>()),
      output_(loop.buffers()),
      received_at_(loop.now()),
      began_(loop.now()),
      read_timer_(loop.timers(), *this),
      drain_timer_(loop.timers(), *this),
      patience_timer_(loop.timers(), *this) {
  StartSession();
  if (OwesHandshake()) patience_timer_.Set(began_ + options_.patience);
  loop_.Watch(transport_.fd(), *this);
  loop_.RequestFlush(*this);
  // Its handshake may have brought more: nobody tells of that.
  if (transport_.pending()) read_timer_.Set(loop_.now());
}

Connection::~Connection() {
  CloseStreams();
  nghttp2_session_del(session_);
}

// SETTINGS are queued before anything is read: gRPC clients are not ready before they see them.
void Connection::StartSession() {
  session_ = NewSession(*this, options_, loop_.pool());
  std::array<nghttp2_settings_entry, 4> settings{};
  size_t count = 0;
  settings[count++] = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow};
  settings[count++] = {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
                       static_cast<uint32_t>(options_.header_list_bytes_max)};
  settings[count++] = {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1};
  if (options_.side == Side::kDownstream)
    settings[count++] = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kStreamsAnnounced};
  else
    settings[count++] = {NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), count);
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
  if (options_.first_stream_id > 1) {
    nghttp2_session_set_next_stream_id(session_, options_.first_stream_id);
  }
}

void Connection::Attach(Stream& stream, int32_t id) {
  stream.connection_ = this;
  stream.id_ = id;
  stream.state_ = Next(stream.state_, StreamEvent::kOpened);
  stream.Join(streams_);
}

void Connection::Adopt(int32_t id, Stream& stream, bool ended) {
  nghttp2_session_set_stream_user_data(session_, id, &stream);
  Attach(stream, id);
  if (ended) stream.OnRemoteEnd();
}

void Connection::Answer(int32_t id, const FieldList& headers) {
  const nghttp2_nv* pairs = pairs_->From(headers, NameValues::Bytes::kCopied);
  nghttp2_submit_response(session_, id, pairs, pairs_->size(), nullptr);
  loop_.RequestFlush(*this);
}

// The peer's request breaks HTTP/2's rules of messages.
void Connection::RejectMalformed(int32_t id) {
  CountForcedReset();
  RejectStream(id, NGHTTP2_PROTOCOL_ERROR);
}

void Connection::RejectStream(int32_t id, uint32_t code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code);
  loop_.RequestFlush(*this);
}

void Connection::SubmitResponse(Stream& stream, bool end) {
  const nghttp2_nv* pairs = pairs_->From(stream.headers_out_, NameValues::Bytes::kBorrowed);
  const nghttp2_data_provider data = DataOf(stream);
  nghttp2_submit_response(session_, stream.id_, pairs, pairs_->size(), end ? nullptr : &data);
  loop_.RequestFlush(*this);
}

void Connection::SubmitTrailers(Stream& stream) {
  stream.end_queued_ = true;
  stream.in_ring_.Leave();
  const nghttp2_nv* pairs = pairs_->From(stream.trailers_out_, NameValues::Bytes::kBorrowed);
  nghttp2_submit_trailer(session_, stream.id_, pairs, pairs_->size());
  loop_.RequestFlush(*this);
}

void Connection::SubmitReset(Stream& stream, uint32_t code) {
  nghttp2_session_set_stream_user_data(session_, stream.id_, nullptr);
  if (!ended_) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id_, code);
    loop_.RequestFlush(*this);
  }
  Detach(stream);
}

void Connection::Detach(Stream& stream) {
  stream.SetBlocked(BlockedBy::kNothing, now());
  stream.window_held_.store(0, std::memory_order_relaxed);
  if (std::exchange(stream.reset_waits_, false)) --resets_waiting_;
  ReturnGrowth(stream);
  stream.Leave();
  stream.in_ring_.Leave();
  stream.connection_ = nullptr;
}

// The peer broke HTTP/2's rules of messages: its stream ends (RFC 9113 section 8.1.1).
void Connection::Malformed(Stream& stream) {
  CountForcedReset();
  SubmitReset(stream, NGHTTP2_PROTOCOL_ERROR);
  stream.OnClosed(CloseCause::kProtocolError, NGHTTP2_PROTOCOL_ERROR);
}

void Connection::StreamClosed(Stream& stream, uint32_t code) {
  Detach(stream);
  const bool answered =
      options_.side == Side::kDownstream ? stream.end_framed_ : stream.remote_ended_;
  CloseCause cause = CloseCause::kProtocolError;
  if (answered) {
    cause = CloseCause::kDone;
  } else if (reset_id_ == stream.id_) {
    cause = CloseCause::kPeerReset;
  } else if (code == NGHTTP2_REFUSED_STREAM && stream.id_ > goaway_last_id_) {
    cause = CloseCause::kNotProcessed;
  }
  stream.OnClosed(cause, code);
}

bool Connection::HasRoom() const {
  if (!ready_ || ended_ || going_away_ || closing_) return false;
  if (nghttp2_session_get_next_stream_id(session_) > INT32_MAX) return false;
  return open_streams_ <
         nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

// The peer reset nothing: it waits for what was queued before to leave.
void Connection::ResetSent(Stream& stream) {
  const uint32_t code = stream.reset_code_;
  SubmitReset(stream, code);
  stream.OnClosed(CloseCause::kLocalReset, code);
}

bool Connection::Open(Stream& stream, const FieldList& headers) {
  const nghttp2_nv* pairs = pairs_->From(headers, NameValues::Bytes::kBorrowed);
  const bool end = stream.ending_ && stream.out_.empty() && stream.trailers_out_.empty();
  const nghttp2_data_provider data = DataOf(stream);
  const int32_t id = nghttp2_submit_request(session_, nullptr, pairs, pairs_->size(),
                                            end ? nullptr : &data, &stream);
  if (id < 0) return false;
  ++open_streams_;
  Attach(stream, id);
  stream.headers_sent_ = true;
  loop_.RequestFlush(*this);
  return true;
}

size_t Connection::header_list_bytes_taken() const {
  return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE);
}

bool Connection::ids_run_out() const {
  return nghttp2_session_get_next_stream_id(session_) > kIdsUsedMax;
}

// While memory is short, the fattest go without: a window that has grown shrinks to what it was
// (what the peer has of it already cannot be taken back), and a stream that holds much waits for
// its credit until it holds little. One that drains never waits for long.
void Connection::ReturnStreamCredit(Stream& stream, size_t bytes) {
  stream.withheld_ += static_cast<uint32_t>(bytes);
  if (loop_.buffers().budget().stage() >= BufferStage::kWithholdCredit) {
    if (stream.window_growth_ > 0) {
      ReturnGrowth(stream);
      nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, stream.id_, kStreamWindow);
    }
    if (stream.credit_owed_ > kLeanBytes) return;
  }
  nghttp2_session_consume_stream(session_, stream.id_, std::exchange(stream.withheld_, 0));
  GrowWindow(stream, bytes);
  loop_.RequestFlush(*this);
}

// A stream that drains as fast as it fills gets a larger window, as long as the budget lasts.
void Connection::GrowWindow(Stream& stream, size_t bytes) {
  const uint32_t window = kStreamWindow + stream.window_growth_;
  if (window >= kStreamWindowMax) return;
  stream.growth_credit_ += static_cast<uint32_t>(bytes);
  if (stream.growth_credit_ < 2 * window) return;
  stream.growth_credit_ = 0;
  if (!loop_.buffers().budget().TakeGrowth(window)) return;
  stream.window_growth_ += window;
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, stream.id_,
                                        static_cast<int32_t>(window * 2));
}

void Connection::ReturnGrowth(Stream& stream) {
  stream.growth_credit_ = 0;
  loop_.buffers().budget().ReturnGrowth(std::exchange(stream.window_growth_, 0));
}

void Connection::Ping() {
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  loop_.RequestFlush(*this);
}

}  // namespace lanekeeper::http2

// What comes from the socket: read into blocks, looked at frame by frame before the library does,
// and given to it whole.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "proxy/http2/callbacks.h"
#include "proxy/http2/connection.h"
#include "proxy/http2/session.h"

namespace lanekeeper::http2 {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr size_t kFrameHeaderBytes = 9;
// Of those, the ones that tell the type.
constexpr size_t kFrameTypeBytes = 4;
constexpr size_t kWindowUpdateBytes = 4;
constexpr size_t kPriorityBytes = 5;
constexpr size_t kResetBytes = 4;
// How much of the payload of those is looked at or skipped.
constexpr size_t kPeekedBytes = 4;
// So much of one socket before others have their turn.
constexpr int kReadsMax = 4;
// Frames that wait to be sent because the peer does not read; more is an attack.
constexpr auto kOutboundQueueMax =
    static_cast<size_t>(kFloodLimits[static_cast<size_t>(FloodKind::kUnread)].burst);
constexpr std::string_view kHttp1Answer =
    "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n"
    "content-length: 56\r\n\r\nlanekeeper forwards gRPC: this port takes HTTP/2 only.\r\n";

uint32_t Read32(const uint8_t* data) {
  return (uint32_t{data[0]} << 24) | (uint32_t{data[1]} << 16) | (uint32_t{data[2]} << 8) | data[3];
}

// A method and a target (RFC 9112 section 3).
bool BeginsHttp1Request(std::string_view text) {
  const std::string_view method = text.substr(0, text.find(' '));
  if (method.empty() || method.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != method.npos) {
    return false;
  }
  const std::string_view target = text.substr(std::min(method.size() + 1, text.size()));
  return target.empty() || target[0] == '/' || target[0] == '*' || target.starts_with("http") ||
         target.find(" HTTP/1") < target.find('\n');
}

}  // namespace

void Connection::OnEvents(uint32_t events) {
  if (ended_) return;
  if ((events & EPOLLOUT) != 0) loop_.RequestFlush(*this);
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
  read_again_ = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  ReadSocket();
}

// Until a short read, which says that there is no more; but to the end if the peer has closed.
void Connection::ReadSocket() {
  for (int i = 0; i < kReadsMax && !ended_; ++i) {
    Block* block = loop_.buffers().NewReadBlock();
    std::memcpy(block->data(), carry_.data(), carry_size_);
    const size_t room = block->capacity - carry_size_;
    const ssize_t size = transport_.Receive(block->data() + carry_size_, room);
    if (size <= 0) {
      const int error = errno;
      loop_.buffers().Release(block);
      if (size == 0) return End(EndKind::kPeerClosed, "the peer closed the connection");
      if (error == EAGAIN || error == EINTR) {
        if (transport_.unsent()) loop_.RequestFlush(*this);
        return;
      }
      if (error == EPROTO && transport_.tls() != nullptr) {
        return End(EndKind::kTlsFailed, "TLS: " + transport_.tls()->error());
      }
      return End(EndKind::kSocketError, std::strerror(error));
    }
    received_at_ = loop_.now();
    const size_t total = carry_size_ + static_cast<size_t>(size);
    carry_size_ = 0;
    if (!closing_ && !lingering_) Feed(block, block->data(), total);
    loop_.buffers().Release(block);
    if (!ended_) loop_.RequestFlush(*this);
    if (static_cast<size_t>(size) < room && !read_again_ && !transport_.pending()) {
      return AfterInput();
    }
  }
  AfterInput();
  // Edge-triggered: nobody tells of what is left.
  if (!ended_) read_timer_.Set(loop_.now());
}

void Connection::AfterInput() {
  reset_id_ = -1;
  if (ended_) return;
  // Output is left over where the socket takes nothing more.
  if (!output_.empty() && nghttp2_session_get_outbound_queue_size(session_) > kOutboundQueueMax) {
    end_.flood = FloodKind::kUnread;
    return End(EndKind::kFlood, "too many frames wait because the peer does not read");
  }
  WatchPatience();
  CheckRoom();
}

// Whether the first bytes are HTTP/2's. A client begins with the preface, a server with SETTINGS.
bool Connection::Sniff(const uint8_t* data, size_t size) {
  static_assert(kPreface.size() == kPrefaceBytes);
  const bool downstream = options_.side == Side::kDownstream;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (downstream) {
    const size_t left = std::min(kPreface.size() - sniffed_, size);
    if (text.substr(0, left) == kPreface.substr(sniffed_, left)) {
      sniffed_ = static_cast<uint8_t>(sniffed_ + left);
      return true;
    }
  } else if (size >= kFrameTypeBytes && data[3] == NGHTTP2_SETTINGS) {
    sniffed_ = static_cast<uint8_t>(kPreface.size());
    return true;
  }
  if (data[0] >= 0x14 && data[0] <= 0x17) {
    End(EndKind::kTls, "the peer speaks TLS, this connection is plain");
  } else if ((downstream && BeginsHttp1Request(text)) || text.starts_with("HTTP/")) {
    if (downstream) {
      output_.Append(kHttp1Answer.data(), kHttp1Answer.size());
      output_.WriteTo(transport_);
      shutdown(transport_.fd(), SHUT_WR);
    }
    End(EndKind::kHttp1, "the peer speaks HTTP/1");
  } else {
    End(EndKind::kOther, "the peer's first bytes are not HTTP/2");
  }
  return false;
}

void Connection::CarryOver(const uint8_t* data, size_t size) {
  std::memcpy(carry_.data(), data, size);
  carry_size_ = static_cast<uint8_t>(size);
}

// Walks over the frames. The library gets them whole, but for the payload of a large one; what is
// left of a frame's begin is carried over to the next read.
void Connection::Feed(Block* block, const uint8_t* data, size_t size) {
  const uint8_t* fed = data;
  const uint8_t* at = data;
  const uint8_t* end = data + size;
  int32_t headed = 0;  // whose headers are the last ones in here
  if (sniffed_ < kPreface.size()) {
    const uint8_t before = sniffed_;
    if (options_.side == Side::kUpstream && size < kFrameTypeBytes) return CarryOver(data, size);
    if (!Sniff(data, size)) return;
    if (options_.side == Side::kDownstream) at += sniffed_ - before;
  }
  while (at < end && !ended_) {
    const auto left = static_cast<size_t>(end - at);
    if (payload_left_ > 0) {
      const size_t skipped = std::min<size_t>(payload_left_, left);
      payload_left_ -= static_cast<uint32_t>(skipped);
      at += skipped;
      continue;
    }
    const uint32_t length = left < 4 ? 0 : Read32(at) >> 8;
    const uint8_t type = left < 4 ? uint8_t{NGHTTP2_DATA} : at[3];
    const bool window_update = type == NGHTTP2_WINDOW_UPDATE && length == kWindowUpdateBytes;
    const bool priority = type == NGHTTP2_PRIORITY && length == kPriorityBytes;
    const bool reset = type == NGHTTP2_RST_STREAM && length == kResetBytes;
    if (left < kFrameHeaderBytes + (window_update || priority || reset ? kPeekedBytes : 0)) {
      CarryOver(at, left);
      end = at;
      break;
    }
    const auto id = static_cast<int32_t>(Read32(at + 5) & 0x7fffffff);
    const uint32_t peeked =
        window_update || priority ? Read32(at + kFrameHeaderBytes) & 0x7fffffff : 0;
    const bool no_increment = window_update && id != 0 && peeked == 0;
    // These are judged by what the library knows: it gets all that came before them.
    const bool early = type == NGHTTP2_DATA && id != headed && StreamWithoutHeaders(id) != nullptr;
    if (no_increment || priority || type == NGHTTP2_RST_STREAM || early ||
        (type == NGHTTP2_HEADERS && id <= last_id_) ||
        (type == NGHTTP2_DATA && closed_.Of(id) == StreamFate::kResetByPeer)) {
      FeedLibrary(block, fed, static_cast<size_t>(at - fed));
      fed = at;
      if (ended_ || closing_) return;
      if (Stream* stream = early ? StreamWithoutHeaders(id) : nullptr) Malformed(*stream);
    }
    if (type == NGHTTP2_HEADERS) headed = id;
    if (!JudgeFrame(type, at[4], length, id)) return;
    // The library ignores PRIORITY, faults and all (RFC 9113 6.3, RFC 7540 5.3.1).
    if (priority && (id == 0 || static_cast<uint32_t>(id) == peeked)) {
      return Close(NGHTTP2_PROTOCOL_ERROR);
    }
    if ((no_increment && EndForNoIncrement(id)) || (reset && LeaveForIdleReset(id))) {
      at += kFrameHeaderBytes + kPeekedBytes;
      fed = at;
      continue;
    }
    payload_left_ = length;
    payload_type_ = type;
    if (!block_open_) owed_since_ = 0;
    if (type == NGHTTP2_HEADERS || type == NGHTTP2_CONTINUATION) {
      block_open_ = (at[4] & NGHTTP2_FLAG_END_HEADERS) == 0;
    }
    at += kFrameHeaderBytes;
  }
  if (!ended_) FeedLibrary(block, fed, static_cast<size_t>(end - fed));
}

// The library would end the connection for an answer that begins with DATA; RFC 9113 8.1.1 ends
// that stream alone.
Stream* Connection::StreamWithoutHeaders(int32_t id) const {
  if (options_.side == Side::kDownstream) return nullptr;
  Stream* stream = Callbacks::Find(session_, id);
  return stream != nullptr && stream->headers_framed_ && !stream->has_headers_ ? stream : nullptr;
}

// The library would end the connection for a WINDOW_UPDATE of 0 on a stream; RFC 9113 6.9 ends that
// stream alone.
bool Connection::EndForNoIncrement(int32_t id) {
  if (nghttp2_session_find_stream(session_, id) == nullptr) return false;
  if (Stream* stream = Callbacks::Find(session_, id))
    Malformed(*stream);
  else
    RejectMalformed(id);
  return true;
}

// gRPC's core resets what it has not begun, when it is cancelled early (grpc#19655, #38758), and so
// do other clients. RFC 9113 6.4 ends the connection for it, and 5.4.1 does not say how soon: the
// peer is told at once, and its open RPCs, which are nobody's fault, go on to their end.
bool Connection::LeaveForIdleReset(int32_t id) {
  if (options_.side == Side::kUpstream || id <= last_id_ || id % 2 == 0) return false;
  constexpr std::string_view kWhy = "RST_STREAM on a stream that was never opened";
  // Those that the peer begins before it knows are served, too.
  constexpr int32_t kEveryStream = INT32_MAX;
  if (goaway_sent_) return true;
  end_.kind = EndKind::kProtocolError;
  end_.text = kWhy;
  if (last_id_ == 0) {
    Close(NGHTTP2_PROTOCOL_ERROR);
  } else {
    drain_notice_sent_ = true;
    SendGoaway(kEveryStream, NGHTTP2_PROTOCOL_ERROR);
  }
  return true;
}

void Connection::FeedLibrary(Block* block, const uint8_t* data, size_t size) {
  if (size == 0) return;
  reading_ = block;
  const ssize_t taken = nghttp2_session_mem_recv(session_, data, size);
  reading_ = nullptr;
  if (taken < 0) {
    // What it has to say about that leaves first.
    const uint8_t* last = nullptr;
    for (ssize_t n = 0; (n = nghttp2_session_mem_send(session_, &last)) > 0;) {
      output_.Append(last, static_cast<size_t>(n));
    }
    output_.WriteTo(transport_);
    End(EndKind::kProtocolError, nghttp2_strerror(static_cast<int>(taken)));
  }
}

}  // namespace lanekeeper::http2

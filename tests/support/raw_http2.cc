#include "tests/support/raw_http2.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace lanekeeper::testing {
namespace {

constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// An HPACK integer with a 7-bit prefix, as string lengths have (RFC 7541 section 5.1).
std::string Length(size_t value) {
  if (value < 127) return {static_cast<char>(value)};
  std::string bytes(1, 127);
  value -= 127;
  for (; value >= 128; value /= 128) bytes += static_cast<char>(value % 128 + 128);
  return bytes + static_cast<char>(value);
}

std::string BigEndian(uint32_t value, int bytes) {
  std::string text;
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
    text += static_cast<char>(value >> shift);
  return text;
}

std::string Block(const Fields& fields, char representation) {
  std::string block;
  for (const auto& [name, value] : fields) {
    block += representation;
    block += Length(name.size()) + name + Length(value.size()) + value;
  }
  return block;
}

int ConnectTo(int family, const sockaddr* address, socklen_t length) {
  const int fd = socket(family, SOCK_STREAM, 0);
  if (connect(fd, address, length) != 0) {
    close(fd);
    throw std::runtime_error("cannot dial the proxy");
  }
  return fd;
}

}  // namespace

// HPACK of what comes (RFC 7541), for the whole connection.
class RawHttp2::Inflater {
 public:
  Inflater() { nghttp2_hd_inflate_new(&inflater_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { nghttp2_hd_inflate_del(inflater_); }

  void Inflate(Frame& frame) {
    const auto* from = reinterpret_cast<const uint8_t*>(frame.payload.data());
    size_t left = frame.payload.size();
    for (;;) {
      nghttp2_nv field{};
      int flags = 0;
      const ssize_t n = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, from, left, 1);
      if (n < 0) {
        frame.fields.emplace_back("cannot be decoded", "");
        return;
      }
      from += n;
      left -= static_cast<size_t>(n);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) Keep(field, frame);
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
  }

 private:
  static void Keep(const nghttp2_nv& field, Frame& frame) {
    std::string name(reinterpret_cast<const char*>(field.name), field.namelen);
    std::string value(reinterpret_cast<const char*>(field.value), field.valuelen);
    if ((field.flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0) frame.never_indexed.push_back(name);
    frame.fields.emplace_back(std::move(name), std::move(value));
  }

  nghttp2_hd_inflater* inflater_ = nullptr;
};

uint32_t Frame::Word(size_t offset) const {
  uint32_t word = 0;
  for (size_t i = offset; i < offset + 4 && i < payload.size(); ++i) {
    word = word << 8 | static_cast<uint8_t>(payload[i]);
  }
  return word;
}

std::string Literals(const Fields& fields) { return Block(fields, '\0'); }
std::string NeverIndexed(const Fields& fields) { return Block(fields, '\x10'); }

std::string FrameBytes(uint8_t type, uint8_t flags, uint32_t stream, const std::string& payload) {
  return BigEndian(static_cast<uint32_t>(payload.size()), 3) + static_cast<char>(type) +
         static_cast<char>(flags) + BigEndian(stream, 4) + payload;
}

std::string Framed(const std::string& message) {
  return std::string(1, '\0') + BigEndian(static_cast<uint32_t>(message.size()), 4) + message;
}

std::string Flagged(const std::string& message) {
  std::string framed = Framed(message);
  framed[0] = 1;
  return framed;
}

RawHttp2::RawHttp2(int fd) : fd_(fd), closed_(fd < 0), inflater_(std::make_unique<Inflater>()) {
  const timeval patience{20, 0};
  const int at_once = 1;
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
}

RawHttp2::RawHttp2(RawHttp2&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      closed_(std::exchange(other.closed_, true)),
      inflater_(std::move(other.inflater_)) {}

RawHttp2::~RawHttp2() {
  if (fd_ >= 0) close(fd_);
}

RawHttp2 RawHttp2::Connect(int port) {
  const sockaddr_in address = Loopback(port);
  return RawHttp2(ConnectTo(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address));
}

RawHttp2 RawHttp2::Dial(int port, const std::string& settings) {
  RawHttp2 peer = Connect(port);
  peer.SendBytes(kPreface + FrameBytes(kSettings, 0, 0, settings));
  return peer;
}

RawHttp2 RawHttp2::DialUnix(const std::string& path, const std::string& settings) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  RawHttp2 peer(ConnectTo(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  peer.SendBytes(kPreface + FrameBytes(kSettings, 0, 0, settings));
  return peer;
}

RawHttp2 RawHttp2::Accepted(int fd, const std::string& settings) {
  RawHttp2 peer(fd);
  std::array<char, sizeof kPreface - 1> preface{};
  peer.ReadBytes(preface.data(), preface.size(), std::chrono::seconds(20));
  peer.Send(kSettings, 0, 0, settings);
  return peer;
}

void RawHttp2::Abort() {
  const linger at_once{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  const RawHttp2 ended(std::move(*this));
}

bool RawHttp2::SendBytes(const std::string& bytes) const {
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t n = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<size_t>(n);
  }
  return true;
}

bool RawHttp2::Send(uint8_t type, uint8_t flags, uint32_t stream,
                    const std::string& payload) const {
  return SendBytes(FrameBytes(type, flags, stream, payload));
}

void RawHttp2::SendRequest(uint32_t stream, const std::string& path, const Fields& more,
                           uint8_t flags) const {
  Fields fields = {{":method", "POST"}, {":scheme", "http"},
                   {":path", path},     {":authority", "localhost"},
                   {"te", "trailers"},  {"content-type", "application/grpc"}};
  fields.insert(fields.end(), more.begin(), more.end());
  Send(kHeaders, static_cast<uint8_t>(kEndHeaders | flags), stream, Literals(fields));
}

bool RawHttp2::ReadBytes(char* to, size_t count, std::chrono::milliseconds patience) {
  while (count > 0 && !closed_) {
    pollfd ready{fd_, POLLIN, 0};
    if (poll(&ready, 1, static_cast<int>(patience.count())) <= 0) return false;
    const ssize_t n = std::max<ssize_t>(recv(fd_, to, count, 0), 0);
    closed_ = n == 0;
    to += n;
    count -= static_cast<size_t>(n);
  }
  return count == 0;
}

std::string RawHttp2::ReadText() {
  std::string text;
  for (char byte = 0; ReadBytes(&byte, 1, std::chrono::seconds(20));) text += byte;
  return text;
}

std::optional<Frame> RawHttp2::ReadFrame(std::chrono::milliseconds patience) {
  std::array<char, 9> head{};
  if (!ReadBytes(head.data(), head.size(), patience)) return {};
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(head[i])); };
  Frame frame;
  frame.type = static_cast<uint8_t>(head[3]);
  frame.flags = static_cast<uint8_t>(head[4]);
  frame.stream = (byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8)) & 0x7fffffff;
  frame.payload.resize(byte(0) << 16 | byte(1) << 8 | byte(2));
  // What has begun comes whole.
  if (!ReadBytes(frame.payload.data(), frame.payload.size(), std::chrono::seconds(20))) return {};
  return frame;
}

std::optional<Frame> RawHttp2::ReadAny(std::chrono::milliseconds patience) {
  std::optional<Frame> frame = ReadFrame(patience);
  if (!frame || frame->type != kHeaders) return frame;
  while ((frame->flags & kEndHeaders) == 0) {
    const std::optional<Frame> more = ReadFrame(std::chrono::seconds(20));
    if (!more) return {};
    frame->payload += more->payload;
    frame->flags |= more->flags & kEndHeaders;
  }
  inflater_->Inflate(*frame);
  return frame;
}

std::optional<Frame> RawHttp2::Read(std::chrono::milliseconds patience) {
  while (std::optional<Frame> frame = ReadAny(patience)) {
    const bool to_acknowledge =
        (frame->type == kSettings || frame->type == kPing) && frame->flags != kAck;
    if (to_acknowledge) Send(frame->type, kAck, 0, frame->type == kPing ? frame->payload : "");
    if (frame->type != kSettings && frame->type != kPing) return frame;
  }
  return {};
}

std::optional<Frame> RawHttp2::ReadUntilEnd(uint32_t stream) {
  while (std::optional<Frame> frame = Read()) {
    if (frame->stream == stream && frame->ends_stream()) return frame;
  }
  return {};
}

RawStream ReadStream(RawHttp2& peer, uint32_t stream, size_t bytes) {
  RawStream read;
  while (!read.headers || (!read.ended && read.data.size() < bytes)) {
    const std::optional<Frame> frame = peer.Read();
    if (!frame) break;
    if (frame->stream != stream) continue;
    if (frame->type == kHeaders) read.headers = true;
    if (frame->type == kData) read.data += frame->payload;
    if (frame->ends_stream()) read.ended = true;
  }
  return read;
}

void ReadUntilClosed(RawHttp2 peer) {
  while (peer.Read()) {
  }
}

RawListener::RawListener() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof address;
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&address), length) != 0 || listen(fd_, 16) != 0 ||
      getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("the raw listener cannot listen");
  }
  port_ = ntohs(address.sin_port);
}

RawListener::~RawListener() { close(fd_); }

int RawListener::Accept() const { return accept(fd_, nullptr, nullptr); }

void RawListener::Close() { shutdown(fd_, SHUT_RDWR); }

}  // namespace lanekeeper::testing

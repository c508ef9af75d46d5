#include "tests/support/raw_http2.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

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

}  // namespace

std::string Literals(const Fields& fields) {
  std::string block;
  for (const auto& [name, value] : fields) {
    block += '\0';
    block += Length(name.size()) + name + Length(value.size()) + value;
  }
  return block;
}

std::string Framed(const std::string& message) {
  return std::string(1, '\0') + BigEndian(static_cast<uint32_t>(message.size()), 4) + message;
}

std::string Flagged(const std::string& message) {
  std::string framed = Framed(message);
  framed[0] = 1;
  return framed;
}

RawHttp2 RawHttp2::Dial(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = Loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot dial the proxy");
  }
  RawHttp2 peer(fd);
  send(fd, kPreface, sizeof kPreface - 1, MSG_NOSIGNAL);
  peer.Send(kSettings, 0, 0, "");
  return peer;
}

RawHttp2 RawHttp2::Accepted(int fd) {
  RawHttp2 peer(fd);
  std::array<char, sizeof kPreface - 1> preface{};
  peer.ReadBytes(preface.data(), preface.size(), std::chrono::seconds(20));
  peer.Send(kSettings, 0, 0, "");
  return peer;
}

RawHttp2::~RawHttp2() {
  if (fd_ >= 0) close(fd_);
}

void RawHttp2::Send(uint8_t type, uint8_t flags, uint32_t stream,
                    const std::string& payload) const {
  const std::string bytes = BigEndian(static_cast<uint32_t>(payload.size()), 3) +
                            static_cast<char>(type) + static_cast<char>(flags) +
                            BigEndian(stream, 4) + payload;
  send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void RawHttp2::SendRequest(uint32_t stream, const std::string& path, const Fields& more,
                           uint8_t flags) const {
  Fields fields = {{":method", "POST"}, {":scheme", "http"},
                   {":path", path},     {":authority", "localhost"},
                   {"te", "trailers"},  {"content-type", "application/grpc"}};
  fields.insert(fields.end(), more.begin(), more.end());
  Send(kHeaders, static_cast<uint8_t>(kEndHeaders | flags), stream, Literals(fields));
}

bool RawHttp2::ReadBytes(char* to, size_t count, std::chrono::milliseconds patience) const {
  while (count > 0) {
    pollfd ready{fd_, POLLIN, 0};
    if (poll(&ready, 1, static_cast<int>(patience.count())) <= 0) return false;
    const ssize_t n = recv(fd_, to, count, 0);
    if (n <= 0) return false;
    to += n;
    count -= static_cast<size_t>(n);
  }
  return true;
}

std::optional<Frame> RawHttp2::Read(std::chrono::milliseconds patience) {
  for (;;) {
    std::array<char, 9> head{};
    if (!ReadBytes(head.data(), head.size(), patience)) return {};
    const auto byte = [&](size_t i) {
      return static_cast<uint32_t>(static_cast<uint8_t>(head[i]));
    };
    Frame frame;
    frame.type = static_cast<uint8_t>(head[3]);
    frame.flags = static_cast<uint8_t>(head[4]);
    frame.stream = (byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8)) & 0x7fffffff;
    frame.payload.resize(byte(0) << 16 | byte(1) << 8 | byte(2));
    if (!ReadBytes(frame.payload.data(), frame.payload.size(), patience)) return {};
    const bool to_acknowledge =
        (frame.type == kSettings || frame.type == kPing) && frame.flags != kAck;
    if (to_acknowledge) Send(frame.type, kAck, 0, frame.type == kPing ? frame.payload : "");
    if (frame.type != kSettings && frame.type != kPing) return frame;
  }
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

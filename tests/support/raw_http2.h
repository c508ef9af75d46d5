// The HTTP/2 that no gRPC library would send: a peer that speaks frames by hand (RFC 9113), with
// header fields as plain literals (RFC 7541 section 6.2.2), and that reads whatever comes. Owns its
// socket. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace lanekeeper::testing {

enum FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};
inline constexpr uint8_t kEndStream = 1;
inline constexpr uint8_t kAck = 1;
inline constexpr uint8_t kEndHeaders = 4;
inline constexpr uint8_t kPadded = 8;

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Frame {
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t stream = 0;
  std::string payload;
  // Of HEADERS, with what came in CONTINUATION.
  Fields fields;
  std::vector<std::string> never_indexed;  // their names

  // The 32-bit number that begins at this byte of the payload.
  uint32_t Word(size_t offset) const;
  bool ends_stream() const {
    return type == kRstStream || ((type == kData || type == kHeaders) && (flags & kEndStream) != 0);
  }
};

// A header block of literals without indexing.
std::string Literals(const Fields& fields);
// The same, with fields that must never be indexed (RFC 7541 section 6.2.3).
std::string NeverIndexed(const Fields& fields);
// A frame as it is on the wire.
std::string FrameBytes(uint8_t type, uint8_t flags, uint32_t stream, const std::string& payload);
// A gRPC message with its 5-byte prefix.
std::string Framed(const std::string& message);
// The same, with the flag that says it is compressed.
std::string Flagged(const std::string& message);

class RawHttp2 {
 public:
  // As a client: connects and sends the preface and SETTINGS with this payload.
  static RawHttp2 Dial(int port, const std::string& settings = "");
  static RawHttp2 DialUnix(const std::string& path, const std::string& settings = "");
  // A connection on which nothing has been sent.
  static RawHttp2 Connect(int port);
  // As a server, on a connection that was accepted: reads the preface, sends SETTINGS.
  static RawHttp2 Accepted(int fd, const std::string& settings = "");
  // The same connection, with nothing read or sent.
  static RawHttp2 Untouched(int fd) { return RawHttp2(fd); }

  RawHttp2(RawHttp2&& other) noexcept;
  ~RawHttp2();

  // False when the peer has closed the connection, or takes nothing for long.
  bool SendBytes(const std::string& bytes) const;
  bool Send(uint8_t type, uint8_t flags, uint32_t stream, const std::string& payload) const;
  // Request headers of a gRPC call, with more fields after the usual ones.
  void SendRequest(uint32_t stream, const std::string& path, const Fields& more,
                   uint8_t flags = 0) const;

  // The next frame; empty when the peer closed the connection or nothing came in time. SETTINGS and
  // PING are acknowledged on the way.
  std::optional<Frame> Read(std::chrono::milliseconds patience = std::chrono::seconds(20));
  // Skips until a frame ends the stream.
  std::optional<Frame> ReadUntilEnd(uint32_t stream);
  // The next frame, whatever it is; nothing is acknowledged.
  std::optional<Frame> ReadAny(std::chrono::milliseconds patience = std::chrono::seconds(20));
  // All bytes until the peer closes the connection, for what is not HTTP/2.
  std::string ReadText();
  // Whether reading has come to the end of the connection.
  bool closed() const { return closed_; }
  // Ends the connection with a TCP reset.
  void Abort();

 private:
  class Inflater;

  explicit RawHttp2(int fd);
  bool ReadBytes(char* to, size_t count, std::chrono::milliseconds patience);
  std::optional<Frame> ReadFrame(std::chrono::milliseconds patience);

  int fd_;
  bool closed_ = false;
  std::unique_ptr<Inflater> inflater_;
};

// What has come on a stream.
struct RawStream {
  bool headers = false;
  bool ended = false;
  std::string data;
};
// Everything from its headers on, until `bytes` of data or its end are here.
RawStream ReadStream(RawHttp2& peer, uint32_t stream, size_t bytes);
void ReadUntilClosed(RawHttp2 peer);

// A TCP socket that listens on a port of 127.0.0.1 and accepts by hand.
class RawListener {
 public:
  RawListener();
  ~RawListener();
  int port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int Accept() const;
  // Makes a blocked Accept return -1.
  void Close();

 private:
  int fd_;
  int port_ = 0;
};

// An upstream that does what a script says, on a thread of its own. Made before the proxy and
// destroyed after it, whose end closes the connections that the script reads from.
class ScriptedUpstream {
 public:
  explicit ScriptedUpstream(std::function<void(const RawListener&)> script)
      : thread_([this, script = std::move(script)] { script(listener_); }) {}
  ~ScriptedUpstream() {
    listener_.Close();
    thread_.join();
  }
  std::string address() const { return listener_.address(); }

 private:
  RawListener listener_;
  std::thread thread_;
};

}  // namespace lanekeeper::testing

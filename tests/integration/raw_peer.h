// A raw HTTP/2 peer for a whole test: it keeps what has come by stream, keeps within the windows
// that the other side gives, and gives credit for what comes. Owns its connection. One thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/proxy_harness.h"
#include "tests/support/raw_http2.h"

namespace lanekeeper::testing {

// RFC 9113 section 7.
enum ErrorCode : uint32_t {
  kNoError = 0,
  kProtocolError = 1,
  kInternalError = 2,
  kFlowControlError = 3,
  kRefusedStream = 7,
  kCancel = 8,
  kEnhanceYourCalm = 11,
  kInadequateSecurity = 12,
};

// RFC 9113 section 6.5.2.
enum SettingId : uint16_t {
  kHeaderTableSize = 1,
  kEnablePush = 2,
  kMaxConcurrentStreams = 3,
  kInitialWindowSize = 4,
  kMaxHeaderListSize = 6,
};

inline constexpr uint32_t kLargestWindow = 0x7fffffff;
inline constexpr uint32_t kFirstWindow = 65535;
inline constexpr size_t kLargestFrame = 16384;

// 32 bits as they are on the wire; one entry of SETTINGS.
std::string Word(uint32_t value);
std::string Setting(SettingId id, uint32_t value);

// The headers of a gRPC request and response; the same with another value, or without the field.
Fields RequestFields(const Fields& more = {}, const std::string& path = "/s/M");
Fields ResponseFields(const Fields& more = {});
Fields With(Fields fields, const std::string& name, const std::string& value);
Fields Without(Fields fields, const std::string& name);
// The values of all fields of this name, in order.
std::vector<std::string> Values(const Fields& fields, const std::string& name);

class RawPeer {
 public:
  // What has come on a stream.
  struct Stream {
    std::vector<Fields> blocks;  // in order; informational ones too
    std::set<std::string> never_indexed;
    std::string data;
    int data_frames = 0;
    bool ended = false;             // by END_STREAM
    std::optional<uint32_t> reset;  // by RST_STREAM, with this code

    bool over() const { return ended || reset; }
    Fields first() const { return blocks.empty() ? Fields{} : blocks.front(); }
    Fields last() const { return blocks.empty() ? Fields{} : blocks.back(); }
    // Of the last block that has the field; empty without one.
    std::string Value(const std::string& name) const;
    std::string status() const { return Value("grpc-status"); }
  };

  explicit RawPeer(RawHttp2 http2) : http2_(std::move(http2)) {}
  // To the first listener of a proxy.
  static RawPeer Dial(const ProxyHarness& proxy, const std::string& settings = "");
  // The next connection to an upstream.
  static RawPeer Accept(const RawListener& listener, const std::string& settings = "") {
    return RawPeer(RawHttp2::Accepted(listener.Accept(), settings));
  }

  // ---- what has come
  Stream& operator[](uint32_t stream) { return streams_[stream]; }
  const std::map<uint32_t, Stream>& streams() const { return streams_; }
  // How many streams have ended or been reset.
  size_t over() const;
  const std::vector<Frame>& goaways() const { return goaways_; }
  std::optional<uint32_t> setting(SettingId id) const;
  int settings_acknowledged() const { return settings_acknowledged_; }
  int pings() const { return pings_; }
  int pings_acknowledged() const { return pings_acknowledged_; }
  // What the other side still takes.
  int64_t window(uint32_t stream) const;

  // Reads until the condition holds; false when the connection or the patience has ended first.
  bool Await(const std::function<bool()>& condition,
             std::chrono::milliseconds patience = std::chrono::seconds(20));
  bool AwaitOver(uint32_t stream);
  bool AwaitHeaders(uint32_t stream);
  bool AwaitData(uint32_t stream, size_t bytes);
  // Whether the other side closes the connection.
  bool AwaitClosed(std::chrono::milliseconds patience = std::chrono::seconds(20));
  // Answers each stream once, when its request has ended, until the connection is closed.
  void Serve(const std::function<void(uint32_t stream)>& answer);

  // ---- what is sent
  bool Send(uint8_t type, uint8_t flags, uint32_t stream, const std::string& payload) {
    return http2_.Send(type, flags, stream, payload);
  }
  bool SendBytes(const std::string& bytes) { return http2_.SendBytes(bytes); }
  // One block, cut into HEADERS and CONTINUATION where it is long.
  void Headers(uint32_t stream, const Fields& fields, uint8_t flags = 0);
  // As the windows allow, in frames of the largest size; false when they stay shut.
  bool Data(uint32_t stream, const std::string& bytes, uint8_t flags = 0);
  // One frame of it, padded (RFC 9113 section 6.1).
  bool PaddedData(uint32_t stream, const std::string& bytes, uint8_t padding);
  void Reset(uint32_t stream, uint32_t code) { Send(kRstStream, 0, stream, Word(code)); }
  void GoAway(uint32_t last_stream, uint32_t code = kNoError, const std::string& debug = "") {
    Send(kGoAway, 0, 0, Word(last_stream) + Word(code) + debug);
  }
  void Update(uint32_t stream, uint32_t credit) { Send(kWindowUpdate, 0, stream, Word(credit)); }
  // A whole unary request, response headers, trailers, and a whole answer.
  void Ask(uint32_t stream, const std::string& message, const Fields& more = {});
  void Respond(uint32_t stream, const Fields& more = {}) { Headers(stream, ResponseFields(more)); }
  void Finish(uint32_t stream, const std::string& status = "0");
  void Answer(uint32_t stream, const std::string& message);

  // Gives no credit for what comes on the stream, not even the connection's, until Release.
  void Hold(uint32_t stream) { held_[stream]; }
  void Release(uint32_t stream);

  RawHttp2& http2() { return http2_; }

 private:
  bool AwaitRoom(uint32_t stream, size_t bytes);
  bool SendData(uint8_t flags, uint32_t stream, const std::string& payload);
  void Keep(const Frame& frame);
  void KeepSettings(const Frame& frame);
  void GiveCredit(const Frame& frame);

  RawHttp2 http2_;
  std::map<uint32_t, Stream> streams_;
  std::map<uint32_t, uint32_t> held_;    // bytes without credit, by stream
  std::map<uint32_t, int64_t> granted_;  // credit beyond the first window less what was sent
  std::map<uint16_t, uint32_t> settings_;
  std::vector<Frame> goaways_;
  int settings_acknowledged_ = 0;
  int pings_ = 0;
  int pings_acknowledged_ = 0;
};

}  // namespace lanekeeper::testing

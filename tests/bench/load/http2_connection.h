// HTTP/2 (libnghttp2) on the event loop, for either end.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tests/bench/load/event_loop.h"
#include "tests/bench/load/transport.h"

namespace bench {

class Http2Connection;

// One stream, seen from either end. Its connection owns it and calls it; OnClose is the last call.
class Http2Stream {
 public:
  struct Ready {
    size_t bytes = 0;  // to be taken now
    bool end = false;  // and nothing follows them; neither: paused until Resume
  };

  virtual ~Http2Stream() = default;

  virtual void OnHeader(std::string_view name, std::string_view value) = 0;  // trailers, too
  virtual void OnHeadersEnd() {}
  virtual void OnData(std::string_view bytes) = 0;
  virtual void OnPeerEnd() = 0;
  // `reason` is empty when both ends have ended the stream.
  virtual void OnClose(const std::string& reason) = 0;
  // What can be sent, `max` bytes at most; Take is then called at once for all of it.
  virtual Ready ReadyToSend(size_t max) = 0;
  virtual void Take(char* to, size_t size) = 0;

 private:
  friend Http2Connection;
  friend struct Http2Callbacks;
  int32_t id_ = 0;
  bool paused_ = false;
};

// One HTTP/2 connection, either end: owns the transport, nghttp2's session and the streams. One
// thread, from the loop. Ends when closed() is true, every stream closed by then; its owner
// destroys it, between the loop's rounds.
class Http2Connection final : public EventHandler {
 public:
  enum class Role { kClient, kServer };
  // A write is about this much, or what there is.
  static constexpr size_t kWriteSize = 128 << 10;
  // Makes the streams that the peer opens (server).
  using StreamFactory = std::function<std::unique_ptr<Http2Stream>(Http2Connection&)>;

  Http2Connection(EventLoop& loop, std::unique_ptr<Transport> transport, Role role,
                  StreamFactory factory = {});
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;
  ~Http2Connection() override;

  // Client: starts a gRPC request. `path` must outlive the stream, `scheme` the connection.
  void OpenStream(std::string_view scheme, std::string_view path,
                  std::unique_ptr<Http2Stream> stream);
  // Server: sends the headers, then what the stream has ready, then grpc-status 0.
  void Respond(Http2Stream& stream);
  void Resume(Http2Stream& stream);
  void Reset(Http2Stream& stream);
  // Gives the peer room to send so much more on the stream. The room of the connection comes back
  // by itself as data arrives, so that one slow stream holds up no other.
  void Consume(Http2Stream& stream, size_t bytes);
  // Tells the peer that no more streams will come, and closes after the last.
  void CloseGracefully();

  bool closed() const { return closed_; }
  const std::string& close_reason() const { return close_reason_; }
  bool peer_settings_known() const { return peer_settings_known_; }
  uint32_t peer_concurrent_streams_max() const;

  void OnEvents(uint32_t epoll_events) override;
  void Flush() override;

 private:
  friend struct Http2Callbacks;

  void ReadInput();
  void WriteOutput();
  void FillOutput();
  void MarkDirty();
  void WatchWritable(bool on);
  void Close(const std::string& reason);
  void CloseStream(int32_t id, const std::string& reason);
  Http2Stream* Find(int32_t id);

  EventLoop& loop_;
  std::unique_ptr<Transport> transport_;
  const Role role_;
  const StreamFactory factory_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<int32_t, std::unique_ptr<Http2Stream>> streams_;

  std::unique_ptr<char[]> output_;
  size_t output_begin_ = 0;
  size_t output_end_ = 0;
  bool more_output_ = false;  // nghttp2 has more than fitted
  bool dirty_ = false;
  bool watching_writable_ = false;

  bool closed_ = false;
  bool peer_settings_known_ = false;
  std::string protocol_error_;  // nghttp2's words for the latest one
  std::string close_reason_;
};

}  // namespace bench

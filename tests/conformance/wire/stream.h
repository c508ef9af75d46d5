// One RPC's HTTP/2 stream, from either end. What is to be sent is queued and goes out step by step,
// each DATA step as frames of its own; what comes is recorded. Any thread; the connection's lock.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "tests/conformance/wire/observed.h"
#include "tests/support/tag_queue.h"

namespace lanekeeper::testing::wire {

class Connection;

class Stream {
 public:
  explicit Stream(Connection& connection, int32_t id = -1) : connection_(connection), id_(id) {}

  Stream& Headers(Fields fields) { return Queue({{Step::Kind::kHeaders, std::move(fields)}}); }
  // Trailers, or headers that are all: with END_STREAM.
  Stream& LastHeaders(Fields fields) {
    return Queue({{Step::Kind::kHeaders, std::move(fields), {}, true}});
  }
  Stream& Data(std::string bytes) { return Queue({{Step::Kind::kData, {}, std::move(bytes)}}); }
  Stream& LastData(std::string bytes) {
    return Queue({{Step::Kind::kData, {}, std::move(bytes), true}});
  }
  // One gRPC message in one DATA step.
  Stream& Message(const std::string& bytes, int flag = 0);
  Stream& LastMessage(const std::string& bytes, int flag = 0);
  Stream& HalfClose() { return LastData(""); }
  // Ends the stream and takes no more notice of it: what comes from now on is not recorded.
  Stream& Reset(uint32_t code);
  // The same, and drops what is still to be sent, which may wait for the peer's window.
  Stream& ResetAtOnce(uint32_t code);
  // A whole answer in one go: the peer cannot get a word in between.
  Stream& Page(Fields headers, std::string body);
  // As a server of gRPC ends an RPC that its client has not half-closed: trailers, then NO_ERROR.
  Stream& EndEarly(Fields fields);

  // Whether it comes within the time.
  bool AwaitHeaders(std::chrono::milliseconds patience = kPatience);
  bool AwaitMessages(size_t count, std::chrono::milliseconds patience = kPatience);
  // The peer's END_STREAM or reset, or the loss of the connection.
  bool AwaitEnd(std::chrono::milliseconds patience = kPatience);
  // Both directions.
  bool AwaitClosed(std::chrono::milliseconds patience = kPatience);
  // That all that was queued is written.
  bool AwaitSent(std::chrono::milliseconds patience = kPatience);

  // Leaves what comes from now on unread: flow control stops the peer.
  void StopReading();

  Events events() const;
  size_t messages() const;
  bool ended() const;
  bool was_reset() const;
  Connection& connection() { return connection_; }

 private:
  friend class Connection;
  friend class Server;
  friend struct SessionCallbacks;

  struct Step {
    enum class Kind { kHeaders, kData, kReset } kind;
    Fields fields = {};
    std::string bytes = {};
    bool last = false;
    uint32_t reset_code = 0;
  };

  // Sent in one go, as far as flow control lets them.
  Stream& Queue(std::vector<Step> steps, bool leaving = false);
  size_t CountOf(Event::Kind kind) const;
  bool Await(const std::function<bool()>& condition, std::chrono::milliseconds patience) const;

  Connection& connection_;
  int32_t id_;
  std::deque<Step> steps_;
  bool step_in_flight_ = false;
  size_t step_bytes_sent_ = 0;
  bool reading_ = true;
  bool leaving_ = false;

  Events events_;
  Fields fields_coming_;
  MessageReader messages_;
  bool headers_came_ = false;
  bool ended_ = false;
  bool closed_ = false;
};

}  // namespace lanekeeper::testing::wire

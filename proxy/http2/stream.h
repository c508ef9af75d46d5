// One HTTP/2 stream, one side of an RPC (a half): receive, send, end, reset. Owned by the RPC that
// uses it; its connection borrows it while it is open. Used on the loop's thread; blocked() from
// any. At most one Receive and one Send are in flight: a second one is a contract violation, which
// is counted. Both complete when the stream closes. Destroying it resets what is still open.
//
// A Send is complete as soon as the connection has room for the bytes or has framed them. Credit
// goes back to the stream that the bytes came from (`source`) when they have been framed: that is
// the backpressure.
#pragma once

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <utility>

#include "proxy/base/clock.h"
#include "proxy/base/fiber.h"
#include "proxy/base/list.h"
#include "proxy/http2/fields.h"
#include "proxy/net/buffer.h"

namespace lanekeeper::http2 {

class Connection;
class Stream;

// A place in the ring of streams that have bytes to send.
struct RingLink : Link {
  explicit RingLink(Stream& owner) : stream(owner) {}
  Stream& stream;
};

// RFC 9113 section 5.1, and why a stream closed.
enum class StreamState : uint8_t { kIdle, kOpen, kHalfClosedLocal, kHalfClosedRemote, kClosed };
enum class StreamEvent : uint8_t { kOpened, kLocalEnd, kRemoteEnd, kClosed };
// The only way from state to state; a move that RFC 9113 does not have leaves the state as it is.
StreamState Next(StreamState state, StreamEvent event);

enum class CloseCause : uint8_t {
  kNone,
  kDone,            // both directions ended
  kPeerReset,       // RST_STREAM came; the code is the peer's
  kNotProcessed,    // the peer says that it has not seen it: GOAWAY with a lower last id
  kProtocolError,   // the peer broke HTTP/2 on this stream; the code is what we told it
  kLocalReset,      // we reset it
  kConnectionLost,  // it may have been seen
};

// What a stream's bytes wait for.
enum class BlockedBy : uint8_t { kNothing, kStreamWindow, kConnectionWindow, kSocket };
struct Blocked {
  Instant since = 0;  // 0: nothing waits
  BlockedBy by = BlockedBy::kNothing;
};

// Told on the loop's thread while input is parsed or output is framed: only record.
class StreamObserver {
 public:
  // Once, after Receive and Send have been completed.
  virtual void OnClosed(Stream& stream) = 0;
  // A second operation was started in one direction: our own bug.
  virtual void OnContractViolation(const char* operation) = 0;

 protected:
  ~StreamObserver() = default;
};

enum class Received : uint8_t { kHeaders, kData, kEnd, kClosed };

class Stream : public Link {
 public:
  // The fiber runs whoever awaits; it, the buffers and the observer outlive the stream.
  Stream(Fiber& fiber, Buffers& buffers, StreamObserver& observer)
      : fiber_(fiber), observer_(observer), in_(buffers), out_(buffers) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { Abandon(); }

  // ---- receive
  struct ReceiveOperation {
    Stream& stream;
    SliceQueue& into;
    bool await_ready();
    void await_suspend(std::coroutine_handle<> waiter) { stream.receiver_ = waiter; }
    Received await_resume();
  };
  // What comes next: headers (a response's), bytes (appended to `into`, all that are here), the
  // peer's END_STREAM, or the end of the stream without one.
  ReceiveOperation Receive(SliceQueue& into) { return {*this, into}; }
  FieldList& headers() { return headers_; }
  FieldList& trailers() { return trailers_; }
  // A header block was larger than the connection keeps; the fields are not all there.
  bool fields_too_large() const { return fields_too_large_; }
  // Everything that the peer sent in one block (a trailers-only answer).
  bool ended_with_headers() const { return ended_with_headers_; }

  // Received bytes that nobody has awaited, at the end of the stream.
  void TakeReceived(SliceQueue& into) { into.Splice(in_); }
  // Received bytes that go nowhere: their credit goes back.
  void Consume(size_t bytes) { ReturnCredit(bytes); }

  // ---- send
  struct SendOperation {
    Stream& stream;
    bool await_ready();
    void await_suspend(std::coroutine_handle<> waiter) { stream.sender_ = waiter; }
    bool await_resume();
  };
  // Takes the bytes. False when the stream has closed.
  SendOperation Send(SliceQueue&& bytes) {
    Push(bytes);
    return {*this};
  }
  // Bytes whose sending nobody awaits.
  void Push(SliceQueue& bytes);
  // The end of this direction, behind the bytes: END_STREAM, on trailers if there are any.
  void End(FieldList trailers = {});
  // Response headers; with `end` they are all (trailers-only). Sent once.
  void SendHeaders(FieldList headers, bool end);
  // Keeps fields for as long as the stream lives.
  const FieldList& Keep(FieldList headers) { return headers_out_ = std::move(headers); }
  bool headers_sent() const { return headers_sent_; }
  // Forgets bytes that have not been framed.
  void DiscardUnsent();
  // The end at once, without the bytes that have not been framed, in place of any end before it.
  void EndNow(FieldList trailers);
  // RST_STREAM. The observer is not told of it.
  void Reset(uint32_t code);
  // RST_STREAM behind the headers and bytes that are queued; at once if they cannot leave and it is
  // impatient. The observer is told, if it waits.
  enum class ResetWait : uint8_t { kPatient, kImpatient };
  void ResetWhenSent(uint32_t code, ResetWait wait = ResetWait::kPatient);

  // Bytes that are framed here give credit to that stream. Both belong to the same RPC.
  void set_source(Stream* source) { source_ = source; }
  // The peer announced a content-length: other than that many bytes are a malformed message.
  void ExpectBytes(int64_t length) { body_left_ = length; }

  // ---- what happened
  StreamState state() const { return state_; }
  bool closed() const { return state_ == StreamState::kClosed; }
  // Whether its user has ended what it sends.
  bool ending() const { return ending_; }
  CloseCause close_cause() const { return close_cause_; }
  uint32_t close_code() const { return close_code_; }
  int32_t id() const { return id_; }
  // Makes a closed stream as new, for another attempt.
  void Renew();

  // ---- any thread
  Blocked blocked() const {
    return {blocked_since_.load(std::memory_order_relaxed),
            blocked_by_.load(std::memory_order_relaxed)};
  }
  // How long bytes have waited so far, without the wait that goes on.
  std::chrono::nanoseconds blocked_total() const {
    return std::chrono::nanoseconds(blocked_total_.load(std::memory_order_relaxed));
  }
  // Bytes that the peer has had and has not given credit for, as of the last time when its
  // connection's window was spent.
  int64_t window_held() const { return window_held_.load(std::memory_order_relaxed); }

 private:
  static constexpr int64_t kNoLength = -1;

  friend class Connection;
  friend struct Callbacks;

  void Abandon();
  void ReturnCredit(size_t bytes);
  // ---- by the connection
  void OnHeaders(const FieldList& fields, bool end);
  void OnTrailers(const FieldList& fields);
  void OnData(Block* block, const uint8_t* data, uint32_t size);
  void OnRemoteEnd();
  void OnClosed(CloseCause cause, uint32_t code);
  void OnFramed();
  void SetBlocked(BlockedBy by, Instant now);
  void WakeReceiver();
  void WakeSender();

  Fiber& fiber_;
  StreamObserver& observer_;
  Connection* connection_ = nullptr;
  Stream* source_ = nullptr;
  RingLink in_ring_{*this};
  std::coroutine_handle<> receiver_;
  std::coroutine_handle<> sender_;
  SliceQueue in_;
  SliceQueue out_;
  FieldList headers_;
  FieldList trailers_;
  FieldList headers_out_;
  FieldList trailers_out_;
  // Of a window each, which has 31 bits.
  uint32_t credit_owed_ = 0;       // received and not given back yet
  uint32_t withheld_ = 0;          // due to be given back, while memory is short
  uint32_t growth_credit_ = 0;     // given back since the window last grew
  uint32_t window_growth_ = 0;     // taken from the loop's budget
  int64_t body_left_ = kNoLength;  // of a content-length that was announced
  int32_t id_ = -1;
  uint32_t close_code_ = 0;
  uint32_t reset_code_ = 0;
  StreamState state_ = StreamState::kIdle;
  CloseCause close_cause_ = CloseCause::kNone;
  bool has_headers_ = false;
  bool headers_taken_ = false;
  bool headers_sent_ = false;
  bool headers_framed_ = false;
  bool reset_waits_ = false;
  bool reset_impatient_ = false;
  bool remote_ended_ = false;
  bool ended_with_headers_ = false;
  bool fields_too_large_ = false;
  bool ending_ = false;
  bool end_framed_ = false;
  bool end_queued_ = false;  // goes without asking for data
  bool end_raw_ = false;     // went without the library's knowledge
  bool served_ = false;      // has had its share of this round
  bool receive_started_ = false;
  bool send_started_ = false;
  std::atomic<BlockedBy> blocked_by_{BlockedBy::kNothing};
  std::atomic<Instant> blocked_since_{0};
  std::atomic<int64_t> blocked_total_{0};
  std::atomic<int64_t> window_held_{0};
};

}  // namespace lanekeeper::http2

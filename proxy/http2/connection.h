// One HTTP/2 connection, of either side: frames by libnghttp2, sockets, scheduling and gRPC's
// duties by us. Owns the transport, the library's session and the output; borrows the streams that
// are open on it. Used on the loop's thread only. It ends when the peer or a fault ends it, or by
// Close; the observer is told once and then lets the loop destroy it (EventLoop::Retire).
//
// Events only record: streams are told, fibers become ready, and everything leaves with the flush
// of the turn. Nothing calls into the library from inside one of its own calls, but for what it
// allows (submits and getters).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/http2/closed_streams.h"
#include "proxy/http2/connection_end.h"
#include "proxy/http2/fields.h"
#include "proxy/http2/flood_guard.h"
#include "proxy/http2/output.h"
#include "proxy/http2/stream.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/transport.h"

struct nghttp2_session;

namespace lanekeeper::http2 {

// Stop scheduling DATA while so much waits for the socket.
inline constexpr size_t kOutputBytesMax = 256 * 1024;

class NameValues;

enum class Side : uint8_t { kDownstream, kUpstream };

struct ConnectionOptions {
  Side side = Side::kDownstream;
  // What one header block may hold, counted as HTTP/2 does. Larger ones are decoded, for the
  // compression state's sake, and dropped.
  size_t header_list_bytes_max = 64 * 1024;
  FrameCounts* counts = nullptr;  // outlives the connection
  // Of an upstream connection; others than 1 are for tests of what happens when ids run out.
  int32_t first_stream_id = 1;
  // How long the peer may take to finish what it owes (patience.cc).
  Instant patience = 10'000'000'000;
};

struct Goaway {
  int32_t last_id = 0;
  uint32_t code = 0;
  std::string debug;
};

// Told on the loop's thread, in the middle of a turn: only record. OnEnd comes last, once.
class ConnectionObserver {
 public:
  // A request of a downstream connection: its header block, unless `too_large`, and whether it
  // ends there. The observer adopts the stream or answers it.
  virtual void OnRequest(int32_t id, const FieldList& fields, bool too_large, bool end) = 0;
  virtual void OnReady() = 0;  // the peer's first SETTINGS are here
  virtual void OnRoom() = 0;   // a stream has closed, or more are allowed
  virtual void OnGoaway(const Goaway& goaway) = 0;
  virtual void OnPong() = 0;
  virtual void OnEnd(const ConnectionEnd& end) = 0;

 protected:
  ~ConnectionObserver() = default;
};

class Connection final : public EventHandler, public Flushable, public Retired {
 public:
  Connection(EventLoop& loop, Transport transport, const ConnectionOptions& options,
             ConnectionObserver& observer);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() override;

  // ---- downstream
  // Gives a request's stream to whoever runs its RPC.
  void Adopt(int32_t id, Stream& stream, bool ended);
  // An answer without a stream object: one header block that is all.
  void Answer(int32_t id, const FieldList& headers);
  void RejectStream(int32_t id, uint32_t code);
  void RejectMalformed(int32_t id);
  // GOAWAY in two steps: a notice, then the last id once a PING shows that it has been read.
  void ShutDown();

  // ---- upstream
  // Whether one more stream is allowed now.
  bool HasRoom() const;
  bool ready() const { return ready_; }
  // Opens a stream with these request headers, which must stay until it closes. False when it could
  // not.
  bool Open(Stream& stream, const FieldList& headers);
  // The peer's announced MAX_HEADER_LIST_SIZE.
  size_t header_list_bytes_taken() const;
  int fd() const { return transport_.fd(); }
  // Stream ids are about to run out: another connection should take over.
  bool ids_run_out() const;

  // ---- both
  void Ping();
  // Ends the connection: a GOAWAY with the code, then the socket.
  void Close(uint32_t code = 0);
  // Ends it at once, as lost.
  void Abort(std::string text) { End(EndKind::kSocketError, std::move(text)); }
  size_t open_streams() const { return open_streams_; }
  // How many RST_STREAM have left: some peers count them.
  int64_t resets_sent() const { return resets_sent_; }
  bool ended() const { return ended_; }
  // Whether the peer has answered a request, if only with headers.
  bool answered() const { return answered_; }
  // When bytes last came from the peer.
  Instant received_at() const { return received_at_; }
  Instant now() const { return loop_.now(); }

  void OnEvents(uint32_t events) override;
  void Flush() override;

 private:
  friend class Stream;
  friend struct Callbacks;
  // Of a client's preface (RFC 9113 section 3.4).
  static constexpr uint8_t kPrefaceBytes = 24;

  // ---- by streams
  void HasOutput(Stream& stream);
  void SubmitResponse(Stream& stream, bool end);
  void SubmitTrailers(Stream& stream);
  void SubmitReset(Stream& stream, uint32_t code);
  void ReturnStreamCredit(Stream& stream, size_t bytes);
  void GrowWindow(Stream& stream, size_t bytes);
  void ReturnGrowth(Stream& stream);
  void Malformed(Stream& stream);
  void ResetSent(Stream& stream);

  void StartSession();
  void ReadSocket();
  bool Sniff(const uint8_t* data, size_t size);
  void CarryOver(const uint8_t* data, size_t size);
  void Feed(Block* block, const uint8_t* data, size_t size);
  void FeedLibrary(Block* block, const uint8_t* data, size_t size);
  bool EndForNoIncrement(int32_t id);
  Stream* StreamWithoutHeaders(int32_t id) const;
  bool LeaveForIdleReset(int32_t id);
  void SendGoaway(int32_t last_id, uint32_t code);
  void NoteFault(uint32_t code, std::string_view why);
  bool JudgeFrame(uint8_t type, uint8_t flags, uint32_t length, int32_t id);
  void CountFlood(FloodKind kind);
  void CountForcedReset();
  bool JudgeStream(uint8_t type, uint8_t flags, int32_t id);
  void CheckRoom();
  void AfterInput();
  void WatchPatience();
  bool OwesHandshake() const;
  void LosePatience();

  void Fill();
  void ServeNext();
  void LookWhyUnserved(Stream& stream);
  void EndWithoutWindow(Stream& stream);
  void MarkBlocked(Stream& stream, BlockedBy by);
  void MarkRing();
  void MarkWindowHeld();
  bool WriteOut();
  bool all_written() const { return output_.empty() && !transport_.unsent(); }
  void SendFinalGoaway();
  void Linger();

  void End(EndKind kind, std::string text);
  void Attach(Stream& stream, int32_t id);
  void Detach(Stream& stream);
  void StreamClosed(Stream& stream, uint32_t code);
  void CloseStreams();

  EventLoop& loop_;
  ConnectionObserver& observer_;
  const ConnectionOptions options_;
  Transport transport_;
  nghttp2_session* session_ = nullptr;
  const std::unique_ptr<NameValues> pairs_;
  Output output_;
  Link streams_;     // that are open
  Link ring_;        // of those, the ones with bytes to send, whose turn is to come
  Link unserved_;    // whose turn it is, or was: the library has not asked for their bytes again
  FieldList block_;  // the header block that is being read
  bool block_too_large_ = false;
  std::array<uint8_t, 16> carry_{};  // the begin of a frame whose rest has not come
  uint8_t carry_size_ = 0;
  uint32_t payload_left_ = 0;    // of the frame that is being read
  uint8_t payload_type_ = 0;     // the type of that frame
  uint8_t sniffed_ = 0;          // bytes of the peer's first ones that were as they should be
  bool block_open_ = false;      // HEADERS have come whose block goes on in CONTINUATION
  bool settings_taken_ = false;  // the peer has acknowledged ours
  bool ready_ = false;
  bool ended_ = false;
  bool read_again_ = false;
  bool going_away_ = false;  // no further stream may be opened here
  bool answered_ = false;
  bool closing_ = false;  // ends once all is written
  bool drain_notice_sent_ = false;
  bool goaway_sent_ = false;
  bool lingering_ = false;     // all is said, and the peer has been told so
  bool window_spent_ = false;  // the peer's connection window
  bool room_changed_ = false;
  int32_t goaway_last_id_ = INT32_MAX;   // what the peer's GOAWAY says
  int32_t accepted_id_max_ = INT32_MAX;  // what ours says
  int32_t reset_id_ = -1;                // whose RST_STREAM is being handled
  Block* reading_ = nullptr;
  size_t open_streams_ = 0;
  int64_t resets_sent_ = 0;
  size_t resets_waiting_ = 0;  // streams that are reset once their bytes have left
  Instant received_at_ = 0;
  Instant held_marked_at_ = 0;
  FloodGuard floods_;
  ClosedStreams closed_;
  int32_t last_id_ = 0;  // of a stream that the peer has opened
  const Instant began_;
  Instant owed_since_ = 0;  // when the peer began a frame that it has not finished; 0: it has none
  ConnectionEnd end_;
  TimerOf<Connection, &Connection::ReadSocket> read_timer_;
  TimerOf<Connection, &Connection::SendFinalGoaway> drain_timer_;
  TimerOf<Connection, &Connection::LosePatience> patience_timer_;
};

}  // namespace lanekeeper::http2

// The client half of an RPC.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/bench/load/grpc_framing.h"
#include "tests/bench/load/http2_connection.h"
#include "tests/bench/load/message_source.h"
#include "tests/bench/load/results.h"

namespace bench {

// The size of a stream's messages, by number; each time the same.
class MessageSizes {
 public:
  // `mixed`: from 10 bytes to `size`, as many small ones as large (evenly spread logarithms).
  MessageSizes(uint32_t size, bool mixed);
  uint32_t Of(uint64_t number) const { return sizes_[number % sizes_.size()]; }

 private:
  std::vector<uint32_t> sizes_;
};

// What the calls of a workload have in common.
struct CallPlan {
  enum class Kind {
    kUnary,   // one message, the same back; timed as an RPC
    kFanout,  // one request for kFanoutResponses messages; timed as an RPC
    kEcho,    // messages until told to stop; each timed from there to back
    kHold,    // one message there and back, then open until told to stop
  };
  Kind kind = Kind::kUnary;
  size_t window_messages = 1;  // how many may be unanswered
  MessageSizes sizes;
};
inline constexpr uint32_t kFanoutResponses = 100;

// What a workload's calls share; outlives them.
struct CallContext {
  explicit CallContext(CallPlan wanted) : plan(std::move(wanted)) {}

  CallPlan plan;
  Results results;
  uint64_t budget = UINT64_MAX;  // how many RPCs (kUnary, kFanout) or messages may still start
  bool stopping = false;         // kEcho, kHold: half-close now; the others: start no more
};

class Call;

class CallOwner {
 public:
  virtual ~CallOwner() = default;
  // The last the owner sees of the call. `ok`: the results have it as an RPC, not as an error.
  virtual void OnCallDone(Call& call, bool ok) = 0;
};

// The client half of one RPC: sends its messages, checks every byte of the answer and the ending,
// and books either the RPC or one error. On its connection's thread, owned by the connection.
class Call final : public Http2Stream {
 public:
  // `slot` and `connection` are for the owner to know it by. Messages are numbered from
  // `first_message`, so that calls differ in theirs.
  Call(EventLoop& loop, CallContext& context, CallOwner& owner, Http2Connection& connection,
       size_t slot, uint64_t first_message, uint64_t started_ns);

  size_t slot() const { return slot_; }
  Http2Connection& connection() { return connection_; }

  // Books the error, once, and resets the stream.
  void Fail(const std::string& text);

  void OnHeader(std::string_view name, std::string_view value) override;
  void OnData(std::string_view bytes) override;
  void OnPeerEnd() override;
  void OnClose(const std::string& reason) override;
  Ready ReadyToSend(size_t max) override;
  void Take(char* to, size_t size) override;

  // For MessageReader.
  bool OnMessageBegin(char flag, size_t size);
  bool OnMessageBytes(std::string_view bytes, size_t offset);
  bool OnMessageEnd();

 private:
  bool MayStart(uint64_t number, size_t unanswered_bytes) const;
  bool NothingFollows(uint64_t number) const;
  uint32_t SizeOf(uint64_t number) const { return context_.plan.sizes.Of(first_message_ + number); }
  void StartMessage();
  // Empty when the RPC ended as it should.
  std::string FindProblem(const std::string& reason) const;

  EventLoop& loop_;
  CallContext& context_;
  CallOwner& owner_;
  Http2Connection& connection_;
  const size_t slot_;
  const uint64_t first_message_;
  const uint64_t started_ns_;

  uint64_t sent_ = 0;  // messages whose first byte has left
  MessageSource sending_;
  std::vector<uint64_t> sent_at_ns_;  // of the unanswered: a ring, by number
  size_t unanswered_bytes_ = 0;
  bool half_closed_ = false;

  MessageReader reader_;
  uint64_t received_ = 0;
  bool peer_ended_ = false;
  bool grpc_status_seen_ = false;
  std::string header_problem_;
  bool failed_ = false;
};

}  // namespace bench

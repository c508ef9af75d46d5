// The lines about streams: the access log, one line for each RPC that ended, as log.access asks;
// and those about streams that are stuck: what does not happen, and the evidence. Any thread; does
// not block. Lines of the access log are not rate limited; what the log's queue does not hold is
// lost.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "config/config.h"
#include "proxy/log/rate_limit.h"
#include "proxy/observe/stream_snapshot.h"
#include "proxy/observe/termination.h"

namespace lanekeeper {

struct EndedRpc {
  StreamSnapshot stream;  // its final state
  int code = 0;           // the status that the downstream got
  TerminationCause cause = TerminationCause::kUpstreamStatus;
  // From its arrival until the upstream took it.
  std::chrono::nanoseconds start_wait{0};
  std::string_view traceparent;  // the request's header; empty for none
};

// The ids of a distributed trace in a traceparent header (W3C Trace Context, level 1).
struct TraceContext {
  std::string_view trace_id;  // 32 hexadecimal digits
  std::string_view span_id;   // the caller's, 16 digits
};

// Nothing unless the header is valid. The result points into it.
std::optional<TraceContext> ParseTraceparent(std::string_view header);

class AccessLog {
 public:
  explicit AccessLog(LogAccess access) : access_(access) {}

  // Whether such an RPC gets a line: ask first, a snapshot costs.
  bool wants(int code) const;

  // Whether there are lines at all.
  bool on() const { return access_ != LogAccess::kOff; }

  // At level info for OK and for what the client cancelled, which is how it ends a stream that it
  // needs no longer; else at level warn: whoever called got an error.
  void Write(const EndedRpc& rpc) const;

 private:
  LogAccess access_;
};

// The process's limits for the two kinds of lines below: a burst of 20, then 10 a second.
RateLimit& StuckLineLimit();
RateLimit& MovesAgainLineLimit();

// At level warn. Does nothing for a stream that is not stuck. Whether a line was written.
bool LogStuck(const StreamSnapshot& stream, RateLimit& limit = StuckLineLimit());

// At level info: the end of what LogStuck told.
void LogMovesAgain(const StreamSnapshot& stream, const Stall& was,
                   RateLimit& limit = MovesAgainLineLimit());

// At level warn: the process ends, and waits for this one. Whoever calls bounds how many there are.
void LogDelaysEnd(const StreamSnapshot& stream);

}  // namespace lanekeeper

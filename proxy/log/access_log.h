// The access log: one structured line for each RPC that ended, as log.access asks. Plain values;
// any thread. The lines are not rate limited; what the log's queue does not hold is lost.
#pragma once

#include <chrono>
#include <string_view>

#include "config/config.h"
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
  const LogAccess access_;
};

}  // namespace lanekeeper

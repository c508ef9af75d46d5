// Sets spdlog's default logger up: to stderr, as text or as one JSON object a line, from a thread
// of its own. Nobody who logs waits for whoever reads stderr; what does not fit into the queue is
// lost and counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include "config/config.h"
#include "proxy/log/log_queue.h"

namespace lanekeeper {

// How long the end of the process may wait for stderr to be read.
inline constexpr std::chrono::milliseconds kLogEndBound{2000};

// Log lines that were not written, since the start.
struct LogLosses {
  uint64_t queue_full = 0;    // stderr is not read fast enough, or not at all
  uint64_t rate_limited = 0;  // suppressed by a RateLimit
};

// While it lives, lines are written by the log's thread. At its end all that is queued is written,
// within kLogEndBound; what is logged later is written at once, or lost if that would block.
class [[nodiscard]] LogSession {
 public:
  explicit LogSession(std::shared_ptr<LogQueue> queue) : queue_(std::move(queue)) {}
  ~LogSession() { queue_->Stop(kLogEndBound); }
  LogSession(const LogSession&) = delete;
  LogSession& operator=(const LogSession&) = delete;

 private:
  const std::shared_ptr<LogQueue> queue_;
};

// Call once, from main, with the signals blocked that the log's thread must not take.
LogSession SetUpLog(const LogConfig& config);

// What is different, in the running process. log.access is not the logger's. Does not block; any
// thread.
void ChangeLog(const LogConfig& before, const LogConfig& after);

// For those who end the process without unwinding: whether all that was logged has been written
// within the bound. Any thread.
bool FlushLog(std::chrono::milliseconds bound);

// Any thread.
LogLosses ReadLogLosses();

}  // namespace lanekeeper

// The spdlog sink between those who log and the descriptor that the lines go to: a bounded queue
// and one thread, lk-log, which formats and writes. log() never waits for the descriptor: when the
// queue is full the oldest line is lost, and counted.
//
// Why not spdlog's own async logger: its destructor waits without bound for whoever reads the
// descriptor, its loggers throw afterwards, and to put another default logger in its place is a
// race with everybody who logs.
//
// Ends with Stop(), after which log() writes by itself what the descriptor takes at once. The
// thread holds the queue, so that a write() that never returns cannot outlive it.
#pragma once

#include <spdlog/details/log_msg_buffer.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/sink.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace lanekeeper {

inline constexpr size_t kLogQueueLines = 8192;
inline constexpr size_t kLogQueueBytes = 8 * 1024 * 1024;  // of their text
inline constexpr size_t kLogMessageBytes = 16 * 1024;      // of one line; the rest is cut

// What a pipe takes in one piece, so that lines of several processes do not mix (PIPE_BUF).
inline constexpr size_t kWriteBytes = 4096;

// Writes lines to a file descriptor that somebody may have stopped reading. One thread writes; any
// thread may tell it when to give up.
class LineWriter {
 public:
  using Clock = std::chrono::steady_clock;

  // Borrows the descriptor.
  explicit LineWriter(int fd) : fd_(fd) {}

  // Whether all of it was written. Waits while the descriptor takes nothing, until it is to give
  // up; from then on it writes only what is taken at once.
  bool Write(std::string_view lines);

  void GiveUpAt(Clock::time_point when) { give_up_at_ = when; }

 private:
  bool AwaitWritable() const;

  const int fd_;
  std::atomic<Clock::time_point> give_up_at_{Clock::time_point::max()};
  // The last write ended within a line.
  bool line_is_cut_ = false;
};

class LogQueue final : public spdlog::sinks::sink, public std::enable_shared_from_this<LogQueue> {
 public:
  using Clock = std::chrono::steady_clock;

  static std::shared_ptr<LogQueue> Start(int fd, std::unique_ptr<spdlog::formatter> formatter,
                                         size_t lines_max = kLogQueueLines);
  ~LogQueue() override;

  // Any thread.
  void log(const spdlog::details::log_msg& line) override;
  // Whether all that was logged before has been written (or lost) within the bound. Any thread.
  bool Flush(std::chrono::milliseconds bound);
  // Lines that nobody will read: the queue was full, or the descriptor did not take them. Any
  // thread.
  uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

  // Writes what is queued, for at most about `bound`, and ends the thread. Call once.
  void Stop(std::chrono::milliseconds bound);

  // spdlog's flush has no bound, so it does nothing here.
  void flush() override {}
  void set_pattern(const std::string& pattern) override;
  // For the lines that are written next. Never waits for the descriptor. Any thread.
  void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override;

 private:
  using Line = spdlog::details::log_msg_buffer;

  LogQueue(int fd, std::unique_ptr<spdlog::formatter> formatter, size_t lines_max);

  void Run();
  bool AwaitLines(std::unique_lock<std::mutex>& lock);
  std::deque<Line> TakeBatch();
  void DropOldest();
  // How many of these lines could not be written.
  template <class Lines>
  uint64_t WriteLines(const Lines& lines);
  uint64_t settled() const;
  void TakeFormatter();

  const size_t lines_max_;
  std::atomic<uint64_t> lost_{0};

  std::mutex mutex_;
  std::condition_variable wake_;     // for the thread
  std::condition_variable written_;  // for those who wait for it
  std::deque<Line> lines_;
  size_t bytes_ = 0;
  uint64_t accepted_ = 0;  // lines ever
  size_t in_flight_ = 0;   // lines that the thread writes right now
  uint64_t batch_begin_ = 0;
  int flushes_ = 0;  // that are being waited for
  bool idle_ = false;
  bool stopping_ = false;
  bool running_ = true;

  std::mutex next_formatter_mutex_;
  std::unique_ptr<spdlog::formatter> next_formatter_;  // null: no other than the one in use

  // The thread's while it runs; then of those who log.
  std::mutex output_mutex_;
  std::unique_ptr<spdlog::formatter> formatter_;
  LineWriter writer_;

  std::thread thread_;
};

}  // namespace lanekeeper

// Writes lines to a file descriptor that somebody may have stopped reading. One thread writes; any
// thread may tell it when to give up.
#pragma once

#include <atomic>
#include <chrono>
#include <string_view>

namespace lanekeeper {

// What a pipe takes in one piece, so that lines of several processes do not mix (PIPE_BUF).
inline constexpr size_t kWriteBytes = 4096;

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

}  // namespace lanekeeper

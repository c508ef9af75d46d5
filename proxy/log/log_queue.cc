#include "proxy/log/log_queue.h"

#include <poll.h>
#include <spdlog/pattern_formatter.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "proxy/base/thread_name.h"
#include "proxy/log/log_event.h"

namespace lanekeeper {
namespace {

// What the thread takes out of the queue at once.
constexpr size_t kBatchLines = 64;
// The thread lets lines gather, so that a busy proxy does not wake it for each.
constexpr std::chrono::milliseconds kGather{5};
// How much longer than asked Stop() waits for a write() that poll() had promised would not block.
constexpr std::chrono::milliseconds kGrace{250};
// How long it takes at most to notice that it is time to give up.
constexpr int kLookMs = 50;

}  // namespace

bool LineWriter::Write(std::string_view lines) {
  if (line_is_cut_) {
    line_is_cut_ = false;
    if (!Write("\n")) {
      line_is_cut_ = true;
      return false;
    }
  }
  const size_t all = lines.size();
  while (!lines.empty()) {
    if (!AwaitWritable()) break;
    const ssize_t written = write(fd_, lines.data(), std::min(lines.size(), kWriteBytes));
    if (written >= 0) {
      lines.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      // Others that write to the same descriptor were faster, or it asks for more room than poll.
      poll(nullptr, 0, 1);
      if (Clock::now() >= give_up_at_.load()) break;
    } else if (errno != EINTR) {
      break;
    }
  }
  line_is_cut_ = !lines.empty() && lines.size() < all;
  return lines.empty();
}

bool LineWriter::AwaitWritable() const {
  for (;;) {
    const bool late = Clock::now() >= give_up_at_.load();
    pollfd descriptor{fd_, POLLOUT, 0};
    // An error or a reader that has gone counts too: write() then tells.
    if (poll(&descriptor, 1, late ? 0 : kLookMs) > 0) return true;
    if (late) return false;
  }
}

std::shared_ptr<LogQueue> LogQueue::Start(int fd, std::unique_ptr<spdlog::formatter> formatter,
                                          size_t lines_max) {
  std::shared_ptr<LogQueue> queue(new LogQueue(fd, std::move(formatter), lines_max));
  queue->thread_ = std::thread([queue] { queue->Run(); });
  return queue;
}

LogQueue::LogQueue(int fd, std::unique_ptr<spdlog::formatter> formatter, size_t lines_max)
    : lines_max_(lines_max), formatter_(std::move(formatter)), writer_(fd) {}

LogQueue::~LogQueue() = default;

void LogQueue::log(const spdlog::details::log_msg& line) {
  spdlog::details::log_msg kept = line;
  if (SplitLogMessage(line).fields.empty()) {
    kept.payload = {line.payload.data(), std::min(line.payload.size(), kLogMessageBytes)};
  }
  std::unique_lock lock(mutex_);
  if (!running_) {
    lock.unlock();
    lost_ += WriteLines(std::array{kept});
    return;
  }
  bytes_ += kept.payload.size();
  lines_.emplace_back(kept);
  ++accepted_;
  while (lines_.size() > lines_max_ || bytes_ > kLogQueueBytes) DropOldest();
  const bool wake = idle_ || lines_.size() == lines_max_ / 2;
  lock.unlock();
  if (wake) wake_.notify_one();
}

void LogQueue::DropOldest() {
  bytes_ -= lines_.front().payload.size();
  lines_.pop_front();
  ++lost_;
}

void LogQueue::Run() {
  SetThreadName("lk-log");
  std::unique_lock lock(mutex_);
  while (AwaitLines(lock)) {
    const std::deque<Line> batch = TakeBatch();
    lock.unlock();
    const uint64_t failed = WriteLines(batch);
    lock.lock();
    lost_ += failed;
    in_flight_ = 0;
    written_.notify_all();
  }
  running_ = false;
  written_.notify_all();
}

bool LogQueue::AwaitLines(std::unique_lock<std::mutex>& lock) {
  const auto hurry = [this] {
    return stopping_ || flushes_ > 0 || lines_.size() >= lines_max_ / 2;
  };
  idle_ = true;
  wake_.wait(lock, [this] { return stopping_ || !lines_.empty(); });
  idle_ = false;
  if (lines_.size() < kBatchLines) wake_.wait_for(lock, kGather, hurry);
  return !lines_.empty();
}

std::deque<LogQueue::Line> LogQueue::TakeBatch() {
  batch_begin_ = accepted_ - lines_.size();
  std::deque<Line> batch;
  while (!lines_.empty() && batch.size() < kBatchLines) {
    bytes_ -= lines_.front().payload.size();
    batch.push_back(std::move(lines_.front()));
    lines_.pop_front();
  }
  in_flight_ = batch.size();
  return batch;
}

template <class Lines>
uint64_t LogQueue::WriteLines(const Lines& lines) {
  std::lock_guard lock(output_mutex_);
  TakeFormatter();
  uint64_t failed = 0;
  spdlog::memory_buf_t ready;  // what goes into one write
  uint64_t ready_lines = 0;
  const auto write = [&] {
    if (!writer_.Write({ready.data(), ready.size()})) failed += ready_lines;
    ready.clear();
    ready_lines = 0;
  };
  for (const auto& line : lines) {
    spdlog::memory_buf_t formatted;
    formatter_->format(line, formatted);
    if (ready.size() + formatted.size() > kWriteBytes) write();
    ready.append(formatted.data(), formatted.data() + formatted.size());
    ++ready_lines;
  }
  write();
  return failed;
}

uint64_t LogQueue::settled() const {
  return in_flight_ > 0 ? batch_begin_ : accepted_ - lines_.size();
}

bool LogQueue::Flush(std::chrono::milliseconds bound) {
  std::unique_lock lock(mutex_);
  const uint64_t target = accepted_;
  ++flushes_;
  wake_.notify_one();
  const bool done =
      written_.wait_for(lock, bound, [&] { return settled() >= target || !running_; });
  --flushes_;
  return done;
}

void LogQueue::Stop(std::chrono::milliseconds bound) {
  writer_.GiveUpAt(Clock::now() + bound);
  std::unique_lock lock(mutex_);
  stopping_ = true;
  wake_.notify_one();
  const bool ended = written_.wait_for(lock, bound + kGrace, [this] { return !running_; });
  lock.unlock();
  ended ? thread_.join() : thread_.detach();
}

void LogQueue::set_pattern(const std::string& pattern) {
  set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern));
}

void LogQueue::set_formatter(std::unique_ptr<spdlog::formatter> formatter) {
  const std::lock_guard lock(next_formatter_mutex_);
  next_formatter_ = std::move(formatter);
}

// The output's mutex is held for as long as nobody reads the descriptor.
void LogQueue::TakeFormatter() {
  const std::lock_guard lock(next_formatter_mutex_);
  if (next_formatter_ != nullptr) formatter_ = std::move(next_formatter_);
}

}  // namespace lanekeeper

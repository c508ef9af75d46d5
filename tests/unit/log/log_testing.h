// What the tests of the log share: a default logger that keeps its lines, and pipes that fill up.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "proxy/log/log_event.h"

namespace lanekeeper {

// "2026-11-22T08:00:00.000Z"
inline constexpr size_t kTimestampBytes = 24;

class KeepingSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  std::vector<std::string> lines;

 private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    spdlog::memory_buf_t formatted;
    formatter_->format(line, formatted);
    lines.emplace_back(formatted.data(), formatted.size());
  }
  void flush_() override {}
};

// The default logger while it lives.
class KeptLog {
 public:
  explicit KeptLog(LogFormat format, spdlog::level::level_enum level = spdlog::level::trace)
      : before_(spdlog::default_logger()), sink_(std::make_shared<KeepingSink>()) {
    auto logger = std::make_shared<spdlog::logger>("test", sink_);
    logger->set_formatter(MakeLogFormatter(format));
    logger->set_level(level);
    spdlog::set_default_logger(std::move(logger));
  }
  ~KeptLog() { spdlog::set_default_logger(before_); }
  KeptLog(const KeptLog&) = delete;
  KeptLog& operator=(const KeptLog&) = delete;

  const std::vector<std::string>& lines() const { return sink_->lines; }

  // The last line without its time: text only.
  std::string LastText() const {
    if (lines().empty()) return "no line";
    return lines().back().substr(kTimestampBytes + 1);
  }

 private:
  const std::shared_ptr<spdlog::logger> before_;
  const std::shared_ptr<KeepingSink> sink_;
};

class Pipe {
 public:
  Pipe() {
    if (pipe(ends_) != 0) ADD_FAILURE() << "pipe";
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    fcntl(ends_[1], F_SETPIPE_SZ, 64 * 1024);
  }
  ~Pipe() {
    CloseReader();
    close(ends_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int writer() const { return ends_[1]; }

  // Until it takes no more than `leave` bytes.
  void Fill(size_t leave = 0) {
    const std::string page(4096, '.');
    for (size_t i = 0; i + leave / page.size() < 64 * 1024 / page.size(); ++i) {
      ASSERT_EQ(write(ends_[1], page.data(), page.size()), static_cast<ssize_t>(page.size()));
    }
  }

  // What is there now.
  std::string Read() {
    std::string all;
    char buffer[4096];
    for (ssize_t n; (n = read(ends_[0], buffer, sizeof buffer)) > 0;) {
      all.append(buffer, static_cast<size_t>(n));
    }
    return all;
  }

  // Reads until `end` has come; what Fill wrote is left out.
  std::string ReadUntil(const std::string& end) {
    std::string all;
    while (all.find(end) == all.npos) {
      pollfd readable{ends_[0], POLLIN, 0};
      if (poll(&readable, 1, 20'000) <= 0) {
        ADD_FAILURE() << "not within 20 s: " << end;
        break;
      }
      all += Read();
    }
    return all.substr(std::min(all.size(), all.find_first_not_of('.')));
  }

  void CloseReader() { close(std::exchange(ends_[0], -1)); }

 private:
  int ends_[2] = {-1, -1};
};

inline std::vector<std::string> SplitLines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0, end; (end = text.find('\n', begin)) != text.npos; begin = end + 1) {
    lines.push_back(text.substr(begin, end - begin));
  }
  return lines;
}

}  // namespace lanekeeper

#include "proxy/log/log_setup.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>
#include <memory>

#include "proxy/log/log_event.h"
#include "proxy/log/rate_limit.h"

namespace lanekeeper {
namespace {

// The queue of the default logger; none in a process that has not called SetUpLog.
std::shared_ptr<LogQueue> CurrentQueue() {
  const std::shared_ptr<spdlog::logger> logger = spdlog::default_logger();
  if (logger == nullptr || logger->sinks().empty()) return nullptr;
  return std::dynamic_pointer_cast<LogQueue>(logger->sinks().front());
}

}  // namespace

LogSession SetUpLog(const LogConfig& config) {
  // Whoever reads stderr may end before we do, which must not end us.
  std::signal(SIGPIPE, SIG_IGN);
  auto queue = LogQueue::Start(STDERR_FILENO, MakeLogFormatter(config.format));
  auto logger = std::make_shared<spdlog::logger>("lanekeeper", queue);
  logger->set_level(ToSpdlog(config.level));
  spdlog::set_default_logger(std::move(logger));
  return LogSession(std::move(queue));
}

void ChangeLog(const LogConfig& before, const LogConfig& after) {
  // A level that was set by hand stays unless the configuration's has changed.
  if (after.level != before.level) spdlog::set_level(ToSpdlog(after.level));
  if (after.format == before.format) return;
  spdlog::default_logger()->set_formatter(MakeLogFormatter(after.format));
}

bool FlushLog(std::chrono::milliseconds bound) {
  const auto queue = CurrentQueue();
  return queue == nullptr || queue->Flush(bound);
}

LogLosses ReadLogLosses() {
  const auto queue = CurrentQueue();
  return {.queue_full = queue == nullptr ? 0 : queue->lost(),
          .rate_limited = RateLimit::TotalSuppressed()};
}

}  // namespace lanekeeper

// Writes structured lines to spdlog's default logger: a message and fields. Any thread; does not
// block.
//
//   LogEvent(LogLevel::kWarn, "stream cancelled", {{"id", id}, {"reason", reason}});
//
// The message is a literal of ours; what varies, and all that comes from a peer, goes into fields.
//
// How fields get through spdlog: they stand behind the message in the payload, and the source
// location, a pointer to our mark and a number, tells where they begin. No text can look like that.
#pragma once

#include <spdlog/spdlog.h>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "config/config.h"
#include "proxy/log/fields.h"
#include "proxy/log/rate_limit.h"

namespace lanekeeper {

// The levels of LogLevel are spdlog's first ones, in the same order.
static_assert(static_cast<int>(LogLevel::kTrace) == static_cast<int>(spdlog::level::trace));
static_assert(static_cast<int>(LogLevel::kError) == static_cast<int>(spdlog::level::err));

inline spdlog::level::level_enum ToSpdlog(LogLevel level) {
  return static_cast<spdlog::level::level_enum>(level);
}
// As log.level has it; "critical" and "off", which only spdlog knows, as spdlog has them.
std::string LevelName(spdlog::level::level_enum level);

inline bool LogEnabled(LogLevel level) { return spdlog::should_log(ToSpdlog(level)); }

struct LogParts {
  std::string_view message;
  std::string_view fields;  // encoded; empty for a line that was not written by LogEvent
};

LogParts SplitLogMessage(const spdlog::details::log_msg& line);

// The bytes of a line, and where its message ends.
class LogEventLine {
 public:
  explicit LogEventLine(std::string_view message);
  LogFields fields() { return LogFields(payload_); }
  void WriteTo(spdlog::logger& logger, LogLevel level) const;

 private:
  const int message_bytes_;
  spdlog::memory_buf_t payload_;
};

// build(LogFields&) adds the fields; it is called only when the level is enabled.
template <std::invocable<LogFields&> Build>
void LogEvent(LogLevel level, std::string_view message, Build&& build) {
  if (!LogEnabled(level)) return;
  LogEventLine line(message);
  LogFields fields = line.fields();
  build(fields);
  line.WriteTo(*spdlog::default_logger_raw(), level);
}

inline void LogEvent(LogLevel level, std::string_view message,
                     std::initializer_list<LogField> list = {}) {
  LogEvent(level, message, [list](LogFields& fields) {
    for (const LogField& field : list) fields.Add(field);
  });
}

// The same for a call site that a peer can make busy. What the limit suppresses is counted, and the
// next line tells how much that was.
template <std::invocable<LogFields&> Build>
void LogEvent(RateLimit& limit, LogLevel level, std::string_view message, Build&& build) {
  if (!LogEnabled(level)) return;
  const std::optional<uint64_t> suppressed = limit.Pass();
  if (!suppressed) return;
  LogEvent(level, message, [&](LogFields& fields) {
    build(fields);
    if (*suppressed > 0) fields.Add("suppressed", *suppressed);
  });
}

inline void LogEvent(RateLimit& limit, LogLevel level, std::string_view message,
                     std::initializer_list<LogField> list = {}) {
  LogEvent(limit, level, message, [list](LogFields& fields) {
    for (const LogField& field : list) fields.Add(field);
  });
}

}  // namespace lanekeeper

// Writes structured lines to spdlog's default logger: a message and fields. Any thread; does not
// block.
//
//   LogEvent(LogLevel::kWarn, "stream cancelled", {{"id", id}, {"reason", reason}});
//
// The message is a literal of ours; what varies, and all that comes from a peer, goes into fields.
//
// Fields are keys with typed values, in order, and are escaped only where the line is written. How
// they get through spdlog: as bytes behind the message in the payload; the source location, a
// pointer to our mark and a number, tells where they begin. No text can look like that.
#pragma once

#include <spdlog/common.h>
#include <spdlog/formatter.h>
#include <spdlog/spdlog.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "config/config.h"
#include "proxy/log/rate_limit.h"

namespace lanekeeper {

// Of a string value, so that a peer cannot make lines long; what is longer is cut.
inline constexpr size_t kLogStringBytes = 1024;

using LogValue = std::variant<bool, int64_t, uint64_t, double, std::string_view>;

struct LogField {
  template <class T>
  LogField(std::string_view name, const T& of) : key(name), value(ToValue(of)) {}

  // A literal of ours: keys are not escaped. 255 bytes at most; not "time", "level" or "message".
  std::string_view key;
  LogValue value;

 private:
  template <class T>
  static LogValue ToValue(const T& of) {
    if constexpr (std::is_same_v<T, bool>) {
      return of;
    } else if constexpr (std::is_floating_point_v<T>) {
      return double{of};
    } else if constexpr (std::is_unsigned_v<T>) {
      return uint64_t{of};
    } else if constexpr (std::is_integral_v<T>) {
      return int64_t{of};
    } else {
      return std::string_view(of);
    }
  }
};

// Appends to a line that is being made.
class LogFields {
 public:
  explicit LogFields(spdlog::memory_buf_t& line) : line_(line) {}

  template <class T>
  LogFields& Add(std::string_view key, const T& value) {
    return Add(LogField(key, value));
  }
  LogFields& Add(const LogField& field);

 private:
  void AppendBytes(const void* bytes, size_t size);

  spdlog::memory_buf_t& line_;
};

// Takes the first field off; nothing at the end. The result points into `encoded`.
std::optional<LogField> NextLogField(std::string_view& encoded);

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

// The two forms of a log line. A formatter is used by one thread at a time.
//
//   text: 2026-11-22T08:00:00.000Z warn message key=value key="a value"
//   JSON: {"time":"2026-11-22T08:00:00.000Z","level":"warn","message":"message","key":"value"}
std::unique_ptr<spdlog::formatter> MakeLogFormatter(LogFormat format);

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

#include "proxy/log/log_event.h"

namespace lanekeeper {
namespace {

// Compared by address.
constexpr char kHasFields[] = "fields";

}  // namespace

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

LogParts SplitLogMessage(const spdlog::details::log_msg& line) {
  const std::string_view payload(line.payload.data(), line.payload.size());
  if (line.source.filename != kHasFields) return {payload, {}};
  const auto message_bytes = static_cast<size_t>(line.source.line);
  return {payload.substr(0, message_bytes), payload.substr(message_bytes)};
}

LogEventLine::LogEventLine(std::string_view message)
    : message_bytes_(static_cast<int>(message.size())) {
  payload_.append(message.data(), message.data() + message.size());
}

void LogEventLine::WriteTo(spdlog::logger& logger, LogLevel level) const {
  logger.log(spdlog::source_loc{kHasFields, message_bytes_, nullptr}, ToSpdlog(level),
             spdlog::string_view_t(payload_.data(), payload_.size()));
}

}  // namespace lanekeeper

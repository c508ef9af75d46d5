#include "proxy/log/log_event.h"

#include "config/names.h"

namespace lanekeeper {
namespace {

// Compared by address.
constexpr char kHasFields[] = "fields";

}  // namespace

std::string LevelName(spdlog::level::level_enum level) {
  const std::string_view ours = NameOf(kLogLevels, static_cast<LogLevel>(level));
  if (!ours.empty()) return std::string(ours);
  const spdlog::string_view_t theirs = spdlog::level::to_string_view(level);
  return std::string(theirs.data(), theirs.size());
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

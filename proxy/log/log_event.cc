#include "proxy/log/log_event.h"

#include <cstring>

#include "config/names.h"

namespace lanekeeper {
namespace {

// Compared by address.
constexpr char kHasFields[] = "fields";

// A field is: the index of its type, the length of its key in a byte, the key, the value; strings
// with their length in front.
using StringLength = uint16_t;
static_assert(kLogStringBytes <= UINT16_MAX);

template <class T>
T Take(std::string_view& from) {
  T value;
  std::memcpy(&value, from.data(), sizeof value);
  from.remove_prefix(sizeof value);
  return value;
}

std::string_view TakeBytes(std::string_view& from, size_t size) {
  const std::string_view taken = from.substr(0, size);
  from.remove_prefix(size);
  return taken;
}

}  // namespace

void LogFields::AppendBytes(const void* bytes, size_t size) {
  const char* const begin = static_cast<const char*>(bytes);
  line_.append(begin, begin + size);
}

LogFields& LogFields::Add(const LogField& field) {
  line_.push_back(static_cast<char>(field.value.index()));
  line_.push_back(static_cast<char>(field.key.size()));
  AppendBytes(field.key.data(), field.key.size());
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    const std::string_view kept = text->substr(0, kLogStringBytes);
    const auto length = static_cast<StringLength>(kept.size());
    AppendBytes(&length, sizeof length);
    AppendBytes(kept.data(), kept.size());
  } else {
    std::visit([this](const auto& value) { AppendBytes(&value, sizeof value); }, field.value);
  }
  return *this;
}

std::optional<LogField> NextLogField(std::string_view& encoded) {
  if (encoded.empty()) return std::nullopt;
  const auto type = Take<uint8_t>(encoded);
  const std::string_view key = TakeBytes(encoded, Take<uint8_t>(encoded));
  switch (type) {
    case 0:
      return LogField(key, Take<bool>(encoded));
    case 1:
      return LogField(key, Take<int64_t>(encoded));
    case 2:
      return LogField(key, Take<uint64_t>(encoded));
    case 3:
      return LogField(key, Take<double>(encoded));
    default:
      return LogField(key, TakeBytes(encoded, Take<StringLength>(encoded)));
  }
}

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

#include "proxy/log/log_event.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>

#include "config/names.h"
#include "proxy/base/text.h"

namespace lanekeeper {
namespace {

using spdlog::memory_buf_t;
using spdlog::details::log_msg;

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

void Append(std::string_view text, memory_buf_t& to) {
  to.append(text.data(), text.data() + text.size());
}

// Text that may come from anywhere, which must not end its line or look like something else.
constexpr EscapeRule kMessageRule = {.beyond_ascii = EscapeRule::BeyondAscii::kIfHarmless,
                                     .line_ends_by_letter = true,
                                     .backslashes = true};
constexpr EscapeRule kValueRule = {.beyond_ascii = EscapeRule::BeyondAscii::kIfHarmless,
                                   .line_ends_by_letter = true,
                                   .backslashes = true,
                                   .quotes = true};

// In quotes unless it is a plain word.
void AppendTextValue(std::string_view text, memory_buf_t& to) {
  const bool plain = IsPlain(text);
  if (plain && !text.empty() && text.find_first_of(" =") == text.npos) return Append(text, to);
  to.push_back('"');
  Append(plain ? text : Escaped(text, kValueRule), to);
  to.push_back('"');
}

// Bytes that are not UTF-8 become U+FFFD.
void AppendJsonString(std::string_view text, memory_buf_t& to) {
  if (!IsPlain(text)) {
    return Append(
        nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), to);
  }
  to.push_back('"');
  Append(text, to);
  to.push_back('"');
}

// UTC with milliseconds; lines of the same second share the work.
class Timestamp {
 public:
  void AppendTo(memory_buf_t& to, spdlog::log_clock::time_point time) {
    const auto second = std::chrono::floor<std::chrono::seconds>(time);
    if (second != second_) {
      second_ = second;
      text_ =
          fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(spdlog::log_clock::to_time_t(second)));
    }
    fmt::format_to(std::back_inserter(to), "{}.{:03}Z", text_,
                   std::chrono::floor<std::chrono::milliseconds>(time - second).count());
  }

 private:
  std::optional<std::chrono::time_point<spdlog::log_clock, std::chrono::seconds>> second_;
  std::string text_;
};

class LogFormatter final : public spdlog::formatter {
 public:
  explicit LogFormatter(LogFormat format) : json_(format == LogFormat::kJson) {}

  void format(const log_msg& line, memory_buf_t& to) override {
    const LogParts parts = SplitLogMessage(line);
    const auto end = std::back_inserter(to);
    if (json_) Append("{\"time\":\"", to);
    timestamp_.AppendTo(to, line.time);
    if (json_) {
      fmt::format_to(end, R"(","level":"{}","message":)", LevelName(line.level));
      AppendJsonString(parts.message, to);
    } else {
      fmt::format_to(end, " {} ", LevelName(line.level));
      Append(IsPlain(parts.message) ? parts.message : Escaped(parts.message, kMessageRule), to);
    }
    std::string_view rest = parts.fields;
    while (const auto field = NextLogField(rest)) {
      fmt::format_to(end, fmt::runtime(json_ ? ",\"{}\":" : " {}="), field->key);
      std::visit([&](const auto& value) { AppendValue(value, to); }, field->value);
    }
    Append(json_ ? "}\n" : "\n", to);
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LogFormatter>(json_ ? LogFormat::kJson : LogFormat::kText);
  }

 private:
  void AppendValue(std::string_view value, memory_buf_t& to) const {
    json_ ? AppendJsonString(value, to) : AppendTextValue(value, to);
  }
  void AppendValue(double value, memory_buf_t& to) const {
    // JSON has no infinity and no NaN.
    if (json_ && !std::isfinite(value)) return Append("null", to);
    fmt::format_to(std::back_inserter(to), "{}", value);
  }
  template <class Other>
  void AppendValue(const Other& value, memory_buf_t& to) const {
    fmt::format_to(std::back_inserter(to), "{}", value);
  }

  const bool json_;
  Timestamp timestamp_;
};

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

std::unique_ptr<spdlog::formatter> MakeLogFormatter(LogFormat format) {
  return std::make_unique<LogFormatter>(format);
}

}  // namespace lanekeeper

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/formatter.h>

#include <chrono>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "proxy/base/text.h"
#include "proxy/log/log_event.h"

namespace lanekeeper {
namespace {

using spdlog::memory_buf_t;
using spdlog::details::log_msg;

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

std::unique_ptr<spdlog::formatter> MakeLogFormatter(LogFormat format) {
  return std::make_unique<LogFormatter>(format);
}

}  // namespace lanekeeper

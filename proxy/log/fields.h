// The fields of a structured log line: keys with typed values, in order. They travel through spdlog
// as bytes behind the message, and are escaped only where the line is written. Plain values; any
// thread.
#pragma once

#include <spdlog/common.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>

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

}  // namespace lanekeeper

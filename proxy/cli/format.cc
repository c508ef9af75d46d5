#include "proxy/cli/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace lanekeeper {
namespace {

constexpr std::string_view kEllipsis = "…";
constexpr int64_t kNanosPerSecond = 1'000'000'000;

bool StartsCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

}  // namespace

std::string FormatAge(std::chrono::nanoseconds age) {
  using namespace std::chrono;  // days to milliseconds
  const int64_t ms = std::max<int64_t>(0, duration_cast<milliseconds>(age).count());
  const int64_t s = ms / 1000;
  if (s < 1) return fmt::format("{}ms", ms);
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  if (s < 24 * 3600) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d{:02}h", s / (24 * 3600), s / 3600 % 24);
}

std::string FormatAge(const google::protobuf::Duration& age) {
  return FormatAge(ToNanoseconds(age));
}

std::chrono::nanoseconds ToNanoseconds(const google::protobuf::Duration& duration) {
  // What does not fit comes from no real clock.
  const int64_t most = std::chrono::nanoseconds::max().count() / kNanosPerSecond - 1;
  const int64_t seconds = std::clamp<int64_t>(duration.seconds(), -most, most);
  return std::chrono::nanoseconds(seconds * kNanosPerSecond + duration.nanos());
}

google::protobuf::Duration ToProto(std::chrono::milliseconds duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(duration.count() / 1000);
  proto.set_nanos(static_cast<int32_t>(duration.count() % 1000 * 1'000'000));
  return proto;
}

std::string FormatBytes(uint64_t bytes) {
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{}B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // 1023.95 would be printed as 1024.0.
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f}{}", value, kUnits[unit]);
}

std::string Counted(uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string Escape(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (c == '\\')
      escaped += "\\\\";
    else if (c >= ' ' && c <= '~')
      escaped += c;
    else
      escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return escaped;
}

size_t Width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), StartsCharacter));
}

std::string CutMiddle(std::string_view text, size_t width) {
  if (text.size() <= width) return std::string(text);
  if (width == 0) return "";
  const size_t kept = width - 1;
  const size_t front = kept / 2;
  return fmt::format("{}{}{}", text.substr(0, front), kEllipsis,
                     text.substr(text.size() - (kept - front)));
}

std::string_view CutRight(std::string_view text, size_t width) {
  size_t columns = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (StartsCharacter(text[i]) && columns++ == width) return text.substr(0, i);
  }
  return text;
}

}  // namespace lanekeeper

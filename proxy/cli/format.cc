#include "proxy/cli/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "proxy/base/proto.h"
#include "proxy/base/text.h"

namespace lanekeeper {
namespace {

constexpr std::string_view kEllipsis = "…";

bool StartsCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

// The objects of the first array in `json`, one a line.
std::string CutIntoLines(std::string_view json) {
  std::string lines;
  lines.reserve(json.size());
  int depth = 0;
  bool in_string = false;
  size_t begin = 0;
  for (size_t i = json.find('[') + 1; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      if (depth++ == 0) begin = i;
    } else if (c == '}') {
      if (--depth == 0) lines.append(json.substr(begin, i + 1 - begin)) += '\n';
    } else if (c == ']' && depth == 0) {
      break;
    }
  }
  return lines;
}

}  // namespace

std::string FormatAge(std::chrono::nanoseconds age) {
  const auto rounded = std::chrono::duration_cast<std::chrono::milliseconds>(age);
  const int64_t ms = std::max<int64_t>(0, rounded.count());
  const int64_t s = ms / 1000;
  if (s < 1) return fmt::format("{}ms", ms);
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  if (s < 24 * 3600) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d{:02}h", s / (24 * 3600), s / 3600 % 24);
}

std::string FormatAge(const google::protobuf::Duration& age) { return FormatAge(FromProto(age)); }

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

std::string Escape(std::string_view text) { return Escaped(text, {.backslashes = true}); }

std::string ToJsonLine(const google::protobuf::Message& message) {
  // Fails only for times out of protobuf's range, which no daemon of ours sends.
  return ToJson(message).value_or(R"({"error":"cannot be written as JSON"})") + "\n";
}

std::string ToJsonLines(const admin::v1::ListStreamsResponse& page) {
  if (page.streams().empty()) return "";
  if (const auto json = ToJson(page)) return CutIntoLines(*json);
  // One that cannot be written must not hide the others.
  std::string lines;
  for (const admin::v1::Stream& stream : page.streams()) lines += ToJsonLine(stream);
  return lines;
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

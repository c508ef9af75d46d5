#include "tests/conformance/wire/observed.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>

namespace lanekeeper::testing::wire {
namespace {

constexpr size_t kPrefixBytes = 5;
constexpr size_t kTextBytesMax = 300;
constexpr size_t kShownBytes = 20;

// A timeout is counted down on the way: timeout_test.cc holds it to account.
std::string FieldLines(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    text += "  " + name + ": " + (name == "grpc-timeout" ? "(some time)" : Printable(value)) + "\n";
  }
  return text;
}

std::string Line(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kHeaders:
      return "headers";
    case Event::Kind::kMessage:
      return fmt::format("message flag={} {}", event.flag, Printable(event.bytes));
    case Event::Kind::kCutMessage:
      return fmt::format("cut message, {} bytes with prefix", event.bytes.size());
    case Event::Kind::kHalfClose:
      return "END_STREAM";
    case Event::Kind::kTrailers:
      return "trailers";
    case Event::Kind::kTrailersOnly:
      return "trailers only";
    case Event::Kind::kReset:
      return fmt::format("RST_STREAM {}", event.reset_code);
    case Event::Kind::kConnectionLost:
      return "connection lost";
  }
  return "?";
}

std::vector<std::string> ValuesOf(const Event& event, const std::string& key) {
  std::vector<std::string> values;
  for (const auto& [name, value] : event.fields) {
    if (name == key) values.push_back(value);
  }
  return values;
}

}  // namespace

void MessageReader::Read(const std::string& data, Events& events) {
  rest_ += data;
  for (;;) {
    if (rest_.size() < kPrefixBytes) return;
    size_t size = 0;
    for (size_t i = 1; i < kPrefixBytes; ++i) size = size << 8 | static_cast<uint8_t>(rest_[i]);
    if (rest_.size() - kPrefixBytes < size) return;
    events.push_back({.kind = Event::Kind::kMessage,
                      .flag = rest_[0],
                      .bytes = rest_.substr(kPrefixBytes, size)});
    rest_.erase(0, kPrefixBytes + size);
  }
}

void MessageReader::End(Events& events) {
  if (rest_.empty()) return;
  events.push_back({.kind = Event::Kind::kCutMessage, .bytes = std::exchange(rest_, "")});
}

std::string Text(const Events& events) {
  std::string text;
  for (const Event& event : events) text += Line(event) + "\n" + FieldLines(event.fields);
  return text;
}

std::vector<std::string> ValuesAtEnd(const Events& events, const std::string& key) {
  const auto last = std::find_if(events.rbegin(), events.rend(),
                                 [](const Event& event) { return !event.fields.empty(); });
  return last == events.rend() ? std::vector<std::string>{} : ValuesOf(*last, key);
}

std::vector<std::string> ValuesAtStart(const Events& events, const std::string& key) {
  return events.empty() ? std::vector<std::string>{} : ValuesOf(events.front(), key);
}

std::string Printable(const std::string& bytes) {
  std::string text;
  const bool is_long = bytes.size() > kTextBytesMax;
  const size_t shown = is_long ? kShownBytes : bytes.size();
  for (const unsigned char c : std::string_view(bytes).substr(0, shown)) {
    text += c >= 0x20 && c < 0x7f && c != '\\' ? std::string(1, static_cast<char>(c))
                                               : fmt::format("\\x{:02x}", c);
  }
  if (!is_long && text.size() <= kTextBytesMax) return text;
  return fmt::format("{}... {} bytes, hash {:x}", text.substr(0, kShownBytes), bytes.size(),
                     std::hash<std::string>{}(bytes));
}

}  // namespace lanekeeper::testing::wire

#include "tests/conformance/wire/observed.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "tests/conformance/wire/differences.h"

namespace lanekeeper::testing::wire {
namespace {

constexpr size_t kPrefixBytes = 5;
constexpr size_t kTextBytesMax = 300;

std::string FieldLines(const Fields& fields) {
  Fields apart;
  Fields others;
  for (const auto& [name, value] : fields) {
    if (IsLeftOut(name, value)) continue;
    Fields& to = IsKeptApartByCore(name) ? apart : others;
    to.emplace_back(name, Normalized(name, value));
  }
  std::stable_sort(apart.begin(), apart.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text;
  for (const Fields* list : {&apart, &others}) {
    for (const auto& [name, value] : *list) text += "  " + name + ": " + Printable(value) + "\n";
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
  for (const unsigned char c : bytes) {
    text += c >= 0x20 && c < 0x7f && c != '\\' ? std::string(1, static_cast<char>(c))
                                               : fmt::format("\\x{:02x}", c);
  }
  if (text.size() <= kTextBytesMax) return text;
  return fmt::format("{}... {} bytes, hash {:x}", text.substr(0, 20), bytes.size(),
                     std::hash<std::string>{}(bytes));
}

}  // namespace lanekeeper::testing::wire

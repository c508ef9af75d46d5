#include "proxy/grpc/metadata.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "proxy/base/text.h"

namespace lanekeeper {
namespace {

constexpr size_t kPrintableBytesMax = 64;

using ByteSet = std::array<bool, 256>;

template <class Holds>
constexpr ByteSet SetOf(Holds holds) {
  ByteSet set{};
  for (int byte = 0; byte < 256; ++byte) set[static_cast<size_t>(byte)] = holds(byte);
  return set;
}

// gRPC: Header-Name is 1*( %x30-39 / %x61-7A / "_" / "-" / "."), ASCII-Value %x20-7E.
constexpr ByteSet kGrpcName = SetOf([](int c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_' || c == '-' || c == '.';
});
constexpr ByteSet kGrpcValue = SetOf([](int c) { return c >= 0x20 && c <= 0x7e; });
constexpr ByteSet kMessageValue = SetOf([](int c) { return c >= 0x20 && c != 0x7f; });
// What ends an authority, or has no place in one (RFC 3986 section 3.2).
constexpr ByteSet kAuthority = SetOf(
    [](int c) { return c > 0x20 && c != 0x7f && c != '/' && c != '\\' && c != '?' && c != '#'; });
constexpr ByteSet kPseudoValue = SetOf([](int c) { return c > 0x20 && c != 0x7f; });
// RFC 9113 section 8.2.1.
constexpr ByteSet kHttp2Name =
    SetOf([](int c) { return c > 0x20 && c < 0x7f && (c < 'A' || c > 'Z') && c != ':'; });
constexpr ByteSet kHttp2Value = SetOf([](int c) { return c != 0 && c != '\r' && c != '\n'; });

// Four at a time and to the end: each field of each RPC is asked, and nearly all are good.
bool AllIn(const ByteSet& set, std::string_view text) {
  const auto holds = [&](size_t at) {
    return static_cast<unsigned>(set[static_cast<unsigned char>(text[at])]);
  };
  unsigned all = 1;
  size_t at = 0;
  for (; at + 4 <= text.size(); at += 4) {
    all &= holds(at) & holds(at + 1) & holds(at + 2) & holds(at + 3);
  }
  for (; at < text.size(); ++at) all &= holds(at);
  return all != 0;
}

constexpr uint64_t kEach = 0x0101010101010101;
constexpr uint64_t kHigh = kEach * 0x80;

// Whether all bytes are in the set, by a rule for eight of them at a time.
template <class Holds>
bool AllByEight(const ByteSet& set, std::string_view text, Holds holds) {
  for (; text.size() >= sizeof(uint64_t); text.remove_prefix(sizeof(uint64_t))) {
    uint64_t word;
    std::memcpy(&word, text.data(), sizeof word);
    if (!holds(word)) return false;
  }
  return AllIn(set, text);
}

// Below 0x80, not below 0x20, not 0x7f; nothing carries over from one byte to the next.
bool IsPrintable(std::string_view text) {
  return AllByEight(kGrpcValue, text, [](uint64_t word) {
    return (word & kHigh) == 0 && ((word + kEach * 0x60) & kHigh) == kHigh &&
           ((word + kEach) & kHigh) == 0;
  });
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 'a' - 'A') : c; }

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

}  // namespace

bool IsConnectionSpecific(std::string_view name) {
  switch (name.size()) {
    case 7:
      return name == "upgrade";
    case 10:
      return name == "connection" || name == "keep-alive";
    case 14:
      return name == "http2-settings";
    case 16:
      return name == "proxy-connection";
    case 17:
      return name == "transfer-encoding";
    default:
      return false;
  }
}

FieldVerdict JudgeField(std::string_view name, std::string_view value) {
  if (IsConnectionSpecific(name) || name == "te" || name == "expect") return FieldVerdict::kStrip;
  if (name.empty() || !AllIn(kGrpcName, name)) return FieldVerdict::kIllegal;
  if (IsPrintable(value)) return FieldVerdict::kForward;
  // A message for people: peers send UTF-8 as it is, though they should encode it.
  const bool allowed = name == "grpc-message" && AllIn(kMessageValue, value);
  return allowed ? FieldVerdict::kForward : FieldVerdict::kIllegal;
}

bool IsMalformedField(std::string_view name, std::string_view value) {
  if (name.empty() || !AllIn(kHttp2Name, name) || !AllIn(kHttp2Value, value)) return true;
  return !value.empty() && (IsBlank(value.front()) || IsBlank(value.back()));
}

bool NamedInConnection(std::string_view connection, std::string_view name) {
  while (!connection.empty()) {
    const size_t comma = std::min(connection.find(','), connection.size());
    std::string_view one = connection.substr(0, comma);
    while (!one.empty() && IsBlank(one.front())) one.remove_prefix(1);
    while (!one.empty() && IsBlank(one.back())) one.remove_suffix(1);
    if (EqualIgnoringCase(one, name)) return true;
    connection.remove_prefix(std::min(comma + 1, connection.size()));
  }
  return false;
}

// Each byte is looked at without its high bit, and taken if that is set.
bool IsPseudoValue(std::string_view value) {
  return AllByEight(kPseudoValue, value, [](uint64_t word) {
    const uint64_t low = word & ~kHigh;
    const uint64_t above = low + kEach * 0x5f;  // 0x21 and more
    const uint64_t below = ~(low + kEach);      // 0x7e and less
    return (((above & below) | word) & kHigh) == kHigh;
  });
}

bool IsGrpcContentType(std::string_view value) {
  constexpr std::string_view kGrpc = "application/grpc";
  if (value == kGrpc) return true;
  if (!EqualIgnoringCase(value.substr(0, kGrpc.size()), kGrpc)) return false;
  value.remove_prefix(kGrpc.size());
  return value.empty() || value.front() == '+' || value.front() == ';';
}

bool IsHostAuthority(std::string_view authority) {
  if (authority.empty() || authority.front() == '%' || authority.front() == '.') return false;
  if (!AllIn(kAuthority, authority)) return false;
  const size_t percent = authority.find('%');
  return percent == std::string_view::npos ||
         (authority.find("%2F", percent) == std::string_view::npos &&
          authority.find("%2f", percent) == std::string_view::npos);
}

bool IsPerRpcField(std::string_view name) {
  return name == "grpc-timeout" || name == "traceparent" || name == "tracestate" ||
         name == "x-request-id" || name == "grpc-trace-bin" || name.starts_with("x-b3-");
}

std::string PrintableField(std::string_view bytes) {
  return Masked(bytes.substr(0, kPrintableBytesMax));
}

}  // namespace lanekeeper

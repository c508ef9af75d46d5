#include "proxy/log/trace_context.h"

namespace lanekeeper {
namespace {

// version "-" trace-id "-" parent-id "-" flags
constexpr size_t kLength = 2 + 1 + 32 + 1 + 16 + 1 + 2;

bool IsLowerHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool IsId(std::string_view text) {
  return IsLowerHex(text) && text.find_first_not_of('0') != text.npos;
}

}  // namespace

std::optional<TraceContext> ParseTraceparent(std::string_view header) {
  if (header.size() < kLength) return std::nullopt;
  const std::string_view version = header.substr(0, 2);
  const TraceContext context{header.substr(3, 32), header.substr(36, 16)};
  const std::string_view flags = header.substr(53, 2);
  const bool dashes = header[2] == '-' && header[35] == '-' && header[52] == '-';
  if (!dashes || !IsLowerHex(version) || version == "ff" || !IsLowerHex(flags) ||
      !IsId(context.trace_id) || !IsId(context.span_id)) {
    return std::nullopt;
  }
  // Later versions may say more, behind another dash.
  if (header.size() > kLength && (version == "00" || header[kLength] != '-')) return std::nullopt;
  return context;
}

}  // namespace lanekeeper

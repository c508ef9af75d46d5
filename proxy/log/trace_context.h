// The ids of a distributed trace in a traceparent header (W3C Trace Context, level 1).
#pragma once

#include <optional>
#include <string_view>

namespace lanekeeper {

struct TraceContext {
  std::string_view trace_id;  // 32 hexadecimal digits
  std::string_view span_id;   // the caller's, 16 digits
};

// Nothing unless the header is valid. The result points into it.
std::optional<TraceContext> ParseTraceparent(std::string_view header);

}  // namespace lanekeeper

// The fields of a response, or of its trailers, that cross the proxy. Pure function; any thread.
#pragma once

#include <optional>
#include <string>

#include "proxy/http2/fields.h"

namespace lanekeeper {

struct TranslatedResponse {
  http2::FieldList fields;
  std::optional<std::string> illegal;  // the name of one that gRPC does not allow, printable; then no fields count
};

TranslatedResponse TranslateResponse(const http2::FieldList& received);

}  // namespace lanekeeper

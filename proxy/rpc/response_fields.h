// The fields of a response, or of its trailers, that cross the proxy. Pure function; any thread.
#pragma once

#include <optional>
#include <string>

#include "proxy/http2/fields.h"

namespace lanekeeper {

// Leaves in the list what crosses. The printable name of a field that gRPC does not allow, if there
// is one; the list is then as it was.
std::optional<std::string> TranslateResponse(http2::FieldList& fields);

}  // namespace lanekeeper

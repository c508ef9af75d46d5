// The same servers seen by a client of gRPC C++: what its application is told, as text.
#pragma once

#include <string>

#include "tests/conformance/wire/lab.h"

namespace lanekeeper::testing::wire {

// A unary call; headers, messages, status and trailers of its answer.
std::string AskedByGrpc(Lab& lab, const Script& server, const std::string& request = "request");

// What an application is told must be equal, without any difference.
void ExpectToldTheSame(const RouteKind& kind, const std::vector<Case>& cases,
                       const Route::Change& change = {});

}  // namespace lanekeeper::testing::wire

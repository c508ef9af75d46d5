// What bench-upstream answers.
#pragma once

#include <memory>

#include "tests/bench/load/http2_connection.h"

namespace bench {

// The server half of one RPC: finds out from :path what to be (/bench.Echo/Fanout,
// /bench.Echo/Sink, anything else is an echo) and answers.
std::unique_ptr<Http2Stream> NewUpstreamStream(Http2Connection& connection);

}  // namespace bench

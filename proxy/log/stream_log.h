// The lines about streams that are stuck: what does not happen, and the evidence. Rate limited: a
// burst of 20, then 10 a second. Any thread; does not block.
#pragma once

#include "proxy/log/rate_limit.h"
#include "proxy/observe/stream_snapshot.h"

namespace lanekeeper {

// The process's limits for the two kinds of lines.
RateLimit& StuckLineLimit();
RateLimit& MovesAgainLineLimit();

// At level warn. Does nothing for a stream that is not stuck. Whether a line was written.
bool LogStuck(const StreamSnapshot& stream, RateLimit& limit = StuckLineLimit());

// At level info: the end of what LogStuck told.
void LogMovesAgain(const StreamSnapshot& stream, const Stall& was,
                   RateLimit& limit = MovesAgainLineLimit());

}  // namespace lanekeeper

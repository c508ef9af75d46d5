// `lanekeeper cancel`, `drain` and `loglevel`: what changes a running lanekeeper. Each function is
// one command, returns its exit code, and runs in the caller's thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proxy/cli/admin_client.h"
#include "proxy/cli/output.h"

namespace lanekeeper {

// One after the other; one that is not open does not keep the others from being cancelled.
int CancelStreams(AdminClient& client, const std::vector<uint64_t>& ids, const std::string& reason,
                  Output& output);

// With `wait` until the process has gone, or a little longer than its drain.timeout at most.
int Drain(AdminClient& client, bool wait, Output& output);

int SetLogLevel(AdminClient& client, const std::string& level, Output& output);

}  // namespace lanekeeper

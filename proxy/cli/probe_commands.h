// `lanekeeper health` and `lanekeeper wait`: the probes of the observability port, for images that
// have neither a shell nor curl. Each function is one command, returns its exit code, and runs in
// the caller's thread.
#pragma once

#include <chrono>
#include <string>

#include "config/address.h"
#include "proxy/cli/output.h"

namespace lanekeeper {

struct ProbeOptions {
  ListenAddress metrics;  // HOST:PORT
  bool live = false;      // /livez rather than /readyz
};

// One request.
int CheckHealth(const ProbeOptions& options, Output& output);

// One after the other until the answer is good, for `most` at most.
int WaitForHealth(const ProbeOptions& options, std::chrono::milliseconds most, Output& output);

}  // namespace lanekeeper

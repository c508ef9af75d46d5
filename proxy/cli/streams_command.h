// `lanekeeper streams`: the open streams as a table or as JSON, or one of them in full. Each
// function is one command, returns its exit code, and runs in the caller's thread.
#pragma once

#include <cstdint>
#include <optional>

#include "proxy/cli/admin_client.h"
#include "proxy/cli/output.h"

namespace lanekeeper {

struct StreamsOptions {
  admin::v1::StreamFilter filter;
  std::optional<uint64_t> limit;
  bool json = false;
};

int ListStreams(AdminClient& client, const StreamsOptions& options, Output& output);
int ShowStream(AdminClient& client, uint64_t id, bool json, Output& output);

}  // namespace lanekeeper

// `lanekeeper top`: the open streams, the ones that wait longest first, again and again. On a
// terminal it draws on the alternate screen and gives the first one back when it ends, however it
// ends; elsewhere it prints one table after the other. A requested stop ends it well. Runs in the
// caller's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "proxy/cli/admin_client.h"
#include "proxy/cli/output.h"

namespace lanekeeper {

struct TopOptions {
  admin::v1::StreamFilter filter;
  std::chrono::milliseconds interval{1000};
  std::optional<uint64_t> count;  // of pictures; as many as there is time for unless given
};

int Top(AdminClient& client, const TopOptions& options, Output& output);

}  // namespace lanekeeper

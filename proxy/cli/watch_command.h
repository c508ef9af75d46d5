// `lanekeeper watch`: what changes among the open streams, one line for each event, until a stop
// is requested (which is how it ends well) or the daemon ends. Runs in the caller's thread.
#pragma once

#include <chrono>

#include "proxy/cli/admin_client.h"
#include "proxy/cli/output.h"

namespace lanekeeper {

struct WatchOptions {
  admin::v1::StreamFilter filter;
  std::chrono::milliseconds interval{1000};
  bool json = false;
};

int WatchStreams(AdminClient& client, const WatchOptions& options, Output& output);

}  // namespace lanekeeper

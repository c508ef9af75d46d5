// The operator's commands, each with its options: what `lanekeeper streams`, `top`, `watch`,
// `cancel`, `drain`, `reload`, `loglevel`, `health` and `wait` do. Each function is one command,
// returns its exit code, and runs in the caller's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/address.h"
#include "proxy/cli/admin_client.h"
#include "proxy/cli/output.h"

namespace lanekeeper {

// The open streams as a table or as JSON, or one of them in full.
struct StreamsOptions {
  admin::v1::StreamFilter filter;
  std::optional<uint64_t> limit;
  bool json = false;
};
int ListStreams(AdminClient& client, const StreamsOptions& options, Output& output);
int ShowStream(AdminClient& client, uint64_t id, bool json, Output& output);

// The open streams, the ones that wait longest first, again and again. On a terminal it draws on
// the alternate screen and gives the first one back when it ends, however it ends; elsewhere it
// prints one table after the other. A requested stop ends it well.
struct TopOptions {
  admin::v1::StreamFilter filter;
  std::chrono::milliseconds interval{1000};
  std::optional<uint64_t> count;  // of pictures; as many as there is time for unless given
};
int Top(AdminClient& client, const TopOptions& options, Output& output);

// What changes among the open streams, one line for each event, until a stop is requested (which is
// how it ends well) or the daemon ends.
struct WatchOptions {
  admin::v1::StreamFilter filter;
  std::chrono::milliseconds interval{1000};
  bool json = false;
};
int WatchStreams(AdminClient& client, const WatchOptions& options, Output& output);

// One after the other; one that is not open does not keep the others from being cancelled.
int CancelStreams(AdminClient& client, const std::vector<uint64_t>& ids, const std::string& reason,
                  Output& output);

// With `wait` until the process has gone, or a little longer than its drain.timeout at most.
int Drain(AdminClient& client, bool wait, Output& output);

// Makes the daemon read its configuration again, or tells what that, or a file, would change.
struct ReloadOptions {
  bool dry_run = false;
  std::string file;  // with dry_run; empty: the daemon's own
};
int Reload(AdminClient& client, const ReloadOptions& options, Output& output);

int SetLogLevel(AdminClient& client, const std::string& level, Output& output);

// The probes of the observability port, for images that have neither a shell nor curl.
struct ProbeOptions {
  ListenAddress metrics;  // HOST:PORT
  bool live = false;      // /livez rather than /readyz
};
// One request.
int CheckHealth(const ProbeOptions& options, Output& output);
// One after the other until the answer is good, for `most` at most.
int WaitForHealth(const ProbeOptions& options, std::chrono::milliseconds most, Output& output);

}  // namespace lanekeeper

// What the control address can see and do of a proxy. The App implements it; the admin server
// outlives none of it. Any thread. Nothing here blocks the data path.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/diff.h"
#include "protos/lanekeeper/admin/v1/admin.pb.h"
#include "proxy/observe/stream_snapshot.h"

namespace lanekeeper {

namespace adminpb = ::lanekeeper::admin::v1;

// All that are set must hold.
struct StreamFilter {
  std::string method;              // part of the method
  std::string peer;                // part of the downstream's address
  std::optional<LaneState> state;  // of either direction
  std::chrono::nanoseconds min_age{0};
  bool stuck = false;
};

struct StreamPage {
  std::vector<StreamSnapshot> streams;  // oldest first
  bool more = false;                    // whether more match behind the last one
  uint64_t matching = 0;                // in all, wherever the page begins
};

// What came of reading the configuration again, in the words of the metric.
enum class ReloadResult : uint8_t { kApplied, kUnchanged, kRefused };
inline constexpr Names<ReloadResult, 3> kReloadResults = {{{"applied", ReloadResult::kApplied},
                                                           {"unchanged", ReloadResult::kUnchanged},
                                                           {"refused", ReloadResult::kRefused}}};

struct ReloadOutcome {
  ReloadResult result = ReloadResult::kUnchanged;
  std::vector<std::string> problems;  // "file:line:col: message"; if there are any, no changes
  std::vector<ConfigChange> changes;  // those that wait for a restart, too
};

// A configuration that somebody has sent.
struct ConfigText {
  std::string yaml;
  std::string name;  // for problems
};

class Control {
 public:
  // Those that match and have ids above `after`, at most `max` of them.
  virtual StreamPage ListStreams(const StreamFilter& filter, StreamId after, size_t max) = 0;
  virtual std::optional<StreamSnapshot> FindStream(StreamId id) = 0;
  // Ends the stream with CANCELLED; what it was like, or nothing when it is not open.
  virtual std::optional<StreamSnapshot> CancelStream(StreamId id, const std::string& reason) = 0;
  // Of the whole proxy; all but what matches a filter.
  virtual adminpb::Totals Totals() = 0;

  // Asks whoever runs the proxy to end it as SIGTERM does; false when nobody listens to that.
  virtual bool RequestDrain() = 0;

  // Reads the configuration again and puts it into use, as SIGHUP does; nothing when the proxy has
  // no file to read, or is ending. `who` asks, for the log. Takes as long as the file system does.
  virtual std::optional<ReloadOutcome> Reload(const std::string& who) = 0;
  // What a Reload would do, of the file or of a text. Changes nothing.
  virtual std::optional<ReloadOutcome> PreviewReload(const std::optional<ConfigText>& text) = 0;

  // What is in use now.
  virtual Config config() const = 0;
  virtual std::chrono::system_clock::time_point started() const = 0;

 protected:
  ~Control() = default;
};

}  // namespace lanekeeper

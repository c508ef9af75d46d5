// What the control address can see and do of a proxy. The App implements it; the admin server
// outlives none of it. Any thread. Nothing here blocks the data path.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "proxy/observe/stream_snapshot.h"

namespace lanekeeper {

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

// Of the whole proxy.
struct StreamTotals {
  uint64_t streams_open = 0;
  uint64_t streams_half_closed = 0;
  uint64_t streams_stuck = 0;
  uint64_t streams_awaiting_upstream = 0;
  uint64_t downstream_connections = 0;
  uint64_t upstream_connections = 0;
  std::string upstream_state;
  uint64_t rpcs_started = 0;  // since the start, as what follows
  uint64_t messages_to_upstream = 0;
  uint64_t messages_to_downstream = 0;
  uint64_t bytes_to_upstream = 0;
  uint64_t bytes_to_downstream = 0;
  bool draining = false;
};

class Control {
 public:
  // Those that match and have ids above `after`, at most `max` of them.
  virtual StreamPage ListStreams(const StreamFilter& filter, StreamId after, size_t max) = 0;
  virtual std::optional<StreamSnapshot> FindStream(StreamId id) = 0;
  // Ends the stream with CANCELLED; what it was like, or nothing when it is not open.
  virtual std::optional<StreamSnapshot> CancelStream(StreamId id, const std::string& reason) = 0;
  virtual StreamTotals Totals() = 0;

  // Asks whoever runs the proxy to end it as SIGTERM does; false when nobody listens to that.
  virtual bool RequestDrain() = 0;

  virtual const Config& config() const = 0;
  virtual std::chrono::system_clock::time_point started() const = 0;

 protected:
  ~Control() = default;
};

}  // namespace lanekeeper

// What the admin API says about streams, as text for people: escaped, in plain ASCII. Pure
// functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "protos/lanekeeper/admin/v1/admin.pb.h"
#include "proxy/cli/output.h"
#include "proxy/cli/table.h"

namespace lanekeeper {

// "sending: receiver 31s", "half_closed 5m12s".
std::string LaneStateText(const admin::v1::Lane& lane);
// "12 msg 1.2MiB".
std::string LaneCountText(const admin::v1::Lane& lane);
// "slow_receiver to_downstream 31s", "upstream_window to_upstream 31s, held by streams 12, 15";
// empty when the stream is not stuck.
std::string StallText(const admin::v1::Stream& stream);
// The downstream's address without the "ipv4:" that nearly all begin with.
std::string PeerText(const admin::v1::Stream& stream);

// Several lines: everything that is known of it.
std::string StreamDetails(const admin::v1::Stream& stream);

// "120 streams open, 3 stuck, 10 half-closed, 0 awaiting the upstream".
std::string OpenStreamsText(const admin::v1::Totals& totals);
// "50 connections -> 1 upstream connection (ready)".
std::string FanInText(const admin::v1::Totals& totals);

// "stuck 17 /shop.Orders/Watch slow_receiver to_downstream 31s".
std::string EventText(const admin::v1::StreamEvent& event);

// Streams as a table, one row each: the ones that are stuck say so in words, and in colour where
// the screen has some. One thread.
class StreamTable {
 public:
  explicit StreamTable(const Screen& screen);

  void Measure(const admin::v1::Stream& stream);

  // Finished lines without line ends.
  std::vector<std::string> Titles() const;
  std::vector<std::string> Row(const admin::v1::Stream& stream) const;

 private:
  std::vector<std::string> Coloured(std::vector<std::string> lines, const char* colour) const;

  Screen screen_;
  Table table_;
};

}  // namespace lanekeeper

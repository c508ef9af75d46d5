// One picture of `lanekeeper top`: which streams come first, and what is shown of them. Values and
// pure functions; one thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "protos/lanekeeper/admin/v1/admin.pb.h"
#include "proxy/cli/output.h"

namespace lanekeeper {

// What has happened per second between two looks at a daemon's totals.
struct Rates {
  double rpcs = 0;
  double messages_to_upstream = 0;
  double messages_to_downstream = 0;
  double bytes_to_upstream = 0;
  double bytes_to_downstream = 0;
};

class RateMeter {
 public:
  // Nothing at the first look, and when the totals went backwards: that is another process.
  std::optional<Rates> Look(const admin::v1::Totals& totals,
                            std::chrono::steady_clock::time_point when);

 private:
  std::optional<admin::v1::Totals> before_;
  std::chrono::steady_clock::time_point before_when_;
};

// What one look at the daemon has found.
struct TopView {
  std::string address;
  admin::v1::Totals totals;
  std::optional<Rates> rates;
  std::vector<admin::v1::Stream> streams;
};

// Stuck ones first, then those that somebody or something does not take, then those that wait for
// their sender; within each the longest first.
void SortByWait(std::vector<admin::v1::Stream>* streams);

// Lines without line ends, no more and none longer than the screen takes. The streams are sorted.
std::vector<std::string> TopFrame(const TopView& view, const Screen& screen);

}  // namespace lanekeeper

// What has happened per second between two looks at a daemon's totals. One thread.
#pragma once

#include <chrono>
#include <optional>

#include "protos/lanekeeper/admin/v1/admin.pb.h"

namespace lanekeeper {

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

}  // namespace lanekeeper

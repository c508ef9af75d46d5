// One picture of `lanekeeper top`: which streams come first, and what is shown of them. Pure
// functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protos/lanekeeper/admin/v1/admin.pb.h"
#include "proxy/cli/output.h"
#include "proxy/cli/rates.h"

namespace lanekeeper {

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

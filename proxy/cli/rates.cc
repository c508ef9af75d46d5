#include "proxy/cli/rates.h"

#include <utility>

namespace lanekeeper {

std::optional<Rates> RateMeter::Look(const admin::v1::Totals& totals,
                                     std::chrono::steady_clock::time_point when) {
  const std::optional<admin::v1::Totals> before = std::exchange(before_, totals);
  const std::chrono::duration<double> passed = when - std::exchange(before_when_, when);
  if (!before || passed.count() <= 0) return std::nullopt;

  bool backwards = false;
  const auto rate = [&](uint64_t earlier, uint64_t later) {
    backwards = backwards || later < earlier;
    return static_cast<double>(later - earlier) / passed.count();
  };
  const Rates rates = {
      rate(before->rpcs_started(), totals.rpcs_started()),
      rate(before->messages_to_upstream(), totals.messages_to_upstream()),
      rate(before->messages_to_downstream(), totals.messages_to_downstream()),
      rate(before->bytes_to_upstream(), totals.bytes_to_upstream()),
      rate(before->bytes_to_downstream(), totals.bytes_to_downstream()),
  };
  if (backwards) return std::nullopt;
  return rates;
}

}  // namespace lanekeeper

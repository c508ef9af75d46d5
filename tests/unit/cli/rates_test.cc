#include <gtest/gtest.h>

#include "proxy/cli/top_frame.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

admin::v1::Totals TotalsOf(uint64_t all) {
  admin::v1::Totals totals;
  totals.set_rpcs_started(all);
  totals.set_messages_to_upstream(2 * all);
  totals.set_messages_to_downstream(3 * all);
  totals.set_bytes_to_upstream(4 * all);
  totals.set_bytes_to_downstream(5 * all);
  return totals;
}

TEST(RateMeter, NeedsTwoLooks) {
  RateMeter meter;
  EXPECT_FALSE(meter.Look(TotalsOf(100), steady_clock::time_point(10s)));
  EXPECT_TRUE(meter.Look(TotalsOf(100), steady_clock::time_point(11s)));
}

TEST(RateMeter, DividesByTheTimeThatHasPassed) {
  RateMeter meter;
  meter.Look(TotalsOf(100), steady_clock::time_point(10s));
  const std::optional<Rates> rates = meter.Look(TotalsOf(200), steady_clock::time_point(10500ms));
  ASSERT_TRUE(rates);
  EXPECT_DOUBLE_EQ(rates->rpcs, 200);
  EXPECT_DOUBLE_EQ(rates->messages_to_upstream, 400);
  EXPECT_DOUBLE_EQ(rates->messages_to_downstream, 600);
  EXPECT_DOUBLE_EQ(rates->bytes_to_upstream, 800);
  EXPECT_DOUBLE_EQ(rates->bytes_to_downstream, 1000);
}

TEST(RateMeter, StartsAgainWithAnotherProcess) {
  RateMeter meter;
  meter.Look(TotalsOf(100), steady_clock::time_point(10s));
  EXPECT_FALSE(meter.Look(TotalsOf(5), steady_clock::time_point(11s)));
  const std::optional<Rates> rates = meter.Look(TotalsOf(6), steady_clock::time_point(12s));
  ASSERT_TRUE(rates);
  EXPECT_DOUBLE_EQ(rates->rpcs, 1);
}

}  // namespace
}  // namespace lanekeeper

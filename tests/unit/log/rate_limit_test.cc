#include "proxy/log/rate_limit.h"

#include <gtest/gtest.h>

#include "log_testing.h"
#include "proxy/log/log_event.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;

constexpr RateLimit::Clock::time_point kStart{1h};

TEST(RateLimit, LetsABurstPassAndThenTheRate) {
  RateLimit limit(3, 10);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limit.Pass(kStart), 0u);
  EXPECT_FALSE(limit.Pass(kStart));
  EXPECT_FALSE(limit.Pass(kStart + 99ms));
  EXPECT_EQ(limit.Pass(kStart + 100ms), 2u);
  EXPECT_FALSE(limit.Pass(kStart + 100ms));
  EXPECT_EQ(limit.Pass(kStart + 200ms), 1u);
  EXPECT_EQ(limit.Pass(kStart + 300ms), 0u);
}

TEST(RateLimit, SavesUpNoMoreThanABurst) {
  RateLimit limit(3, 10);
  EXPECT_TRUE(limit.Pass(kStart));
  const auto later = kStart + 24h;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limit.Pass(later));
  EXPECT_FALSE(limit.Pass(later));
}

TEST(RateLimit, TakesTimesInTheWrongOrder) {
  RateLimit limit(1, 10);
  EXPECT_TRUE(limit.Pass(kStart + 50ms));
  EXPECT_FALSE(limit.Pass(kStart));
  EXPECT_FALSE(limit.Pass(kStart + 149ms));
  EXPECT_TRUE(limit.Pass(kStart + 150ms));
}

TEST(RateLimit, ByDefaultIsABurstOfTen) {
  RateLimit limit;
  int passed = 0;
  for (int i = 0; i < 100; ++i) passed += limit.Pass(kStart) ? 1 : 0;
  EXPECT_EQ(passed, 10);
}

TEST(RateLimit, CountsWhatItSuppresses) {
  const uint64_t before = RateLimit::TotalSuppressed();
  RateLimit limit(1, 1);
  for (int i = 0; i < 5; ++i) static_cast<void>(limit.Pass(kStart));
  EXPECT_EQ(RateLimit::TotalSuppressed() - before, 4u);
}

TEST(RateLimit, TheNextLineTellsHowManyWereSuppressed) {
  const KeptLog log(LogFormat::kText);
  RateLimit limit(1, 10);
  // LogEvent takes the real time, which may be that of a machine that has just booted.
  const auto earlier = RateLimit::Clock::now() - 1min;
  for (int i = 0; i < 3; ++i) static_cast<void>(limit.Pass(earlier));
  LogEvent(limit, LogLevel::kInfo, "event", {{"id", 1}});
  EXPECT_EQ(log.LastText(), "info event id=1 suppressed=2\n");
}

TEST(RateLimit, LinesOfDisabledLevelsUseNothingUp) {
  const KeptLog log(LogFormat::kText, spdlog::level::warn);
  RateLimit limit(1, 1);
  LogEvent(limit, LogLevel::kInfo, "not enabled");
  EXPECT_EQ(limit.Pass(), 0u);
  EXPECT_TRUE(log.lines().empty());
}

}  // namespace
}  // namespace lanekeeper

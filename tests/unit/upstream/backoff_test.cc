#include "proxy/upstream/backoff.h"

#include <gtest/gtest.h>

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;

double Seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

// In the middle of the jitter.
Backoff Even() {
  return Backoff([] { return 0.5; });
}

TEST(BackoffTest, BeginsWithOneSecondAndGrowsByHalfAndATenth) {
  Backoff backoff = Even();
  EXPECT_DOUBLE_EQ(Seconds(backoff.Next()), 1);
  EXPECT_DOUBLE_EQ(Seconds(backoff.Next()), 1.6);
  EXPECT_DOUBLE_EQ(Seconds(backoff.Next()), 2.56);
}

TEST(BackoffTest, GrowsToTwoMinutesAndNoFurther) {
  Backoff backoff = Even();
  for (int i = 0; i < 11; ++i) EXPECT_LT(backoff.Next(), 120s);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(backoff.Next(), 120s);
}

TEST(BackoffTest, AResetBeginsAnew) {
  Backoff backoff = Even();
  for (int i = 0; i < 5; ++i) backoff.Next();
  backoff.Reset();
  EXPECT_EQ(backoff.last(), 0s);
  EXPECT_DOUBLE_EQ(Seconds(backoff.Next()), 1);
}

TEST(BackoffTest, RemembersTheLastWait) {
  Backoff backoff([] { return 0.9; });
  EXPECT_EQ(backoff.last(), 0s);
  const auto wait = backoff.Next();
  EXPECT_EQ(backoff.last(), wait);
}

TEST(BackoffTest, IsOutlivedByWhatLivesLongerThanTheLastWait) {
  Backoff backoff = Even();
  EXPECT_FALSE(backoff.IsOutlivedBy(1s));
  EXPECT_TRUE(backoff.IsOutlivedBy(1001ms));
  backoff.Next();
  backoff.Next();
  EXPECT_FALSE(backoff.IsOutlivedBy(1600ms));
  EXPECT_TRUE(backoff.IsOutlivedBy(1601ms));
}

// Or else a healthy server that ends idle connections after a minute would be left alone for two.
TEST(BackoffTest, IsOutlivedByTwentySecondsHoweverLongTheWaitsAre) {
  Backoff backoff = Even();
  while (backoff.Next() < 120s) continue;
  EXPECT_FALSE(backoff.IsOutlivedBy(20s));
  EXPECT_TRUE(backoff.IsOutlivedBy(20001ms));
}

TEST(BackoffTest, JittersByAFifthEitherWayAndDoesNotAddThatUp) {
  Backoff shortest([] { return 0.0; });
  Backoff longest([] { return 1.0; });
  EXPECT_NEAR(Seconds(shortest.Next()), 0.8, 1e-6);
  EXPECT_NEAR(Seconds(longest.Next()), 1.2, 1e-6);
  EXPECT_NEAR(Seconds(shortest.Next()), 1.6 * 0.8, 1e-6);
  EXPECT_NEAR(Seconds(longest.Next()), 1.6 * 1.2, 1e-6);
}

TEST(BackoffTest, ByItselfIsWithinTheJitterAndNotAlwaysTheSame) {
  Backoff backoff;
  bool differs = false;
  const auto first = backoff.Next();
  for (int i = 0; i < 100; ++i) {
    backoff.Reset();
    const auto wait = backoff.Next();
    EXPECT_GE(wait, 800ms);
    EXPECT_LE(wait, 1200ms);
    differs = differs || wait != first;
  }
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace lanekeeper

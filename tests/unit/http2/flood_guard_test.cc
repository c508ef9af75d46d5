#include "proxy/http2/flood_guard.h"

#include <gtest/gtest.h>

namespace lanekeeper::http2 {
namespace {

constexpr Instant kStart = 1'000'000'000;
constexpr Instant kSecond = 1'000'000'000;

TEST(FloodGuardTest, EachKindHasItsBurst) {
  for (size_t i = 0; i < kFloodKinds; ++i) {
    FloodGuard guard;
    const auto kind = static_cast<FloodKind>(i);
    const auto burst = static_cast<int>(kFloodLimits[i].burst);
    for (int n = 0; n < burst; ++n) ASSERT_TRUE(guard.Count(kind, kStart)) << ToLabel(kind);
    EXPECT_FALSE(guard.Count(kind, kStart)) << ToLabel(kind);
  }
}

TEST(FloodGuardTest, AllowanceComesBackWithTime) {
  FloodGuard guard;
  const FloodLimit limit = kFloodLimits[static_cast<size_t>(FloodKind::kPing)];
  for (int n = 0; n < static_cast<int>(limit.burst); ++n) guard.Count(FloodKind::kPing, kStart);
  EXPECT_FALSE(guard.Count(FloodKind::kPing, kStart));
  EXPECT_TRUE(guard.Count(FloodKind::kPing, kStart + kSecond));
}

TEST(FloodGuardTest, WhatWeSendExplainsWindowUpdates) {
  FloodGuard guard;
  for (int n = 0; n < 1'000'000; ++n) {
    guard.Allow(FloodKind::kWindowUpdate, 4);
    ASSERT_TRUE(guard.Count(FloodKind::kWindowUpdate, kStart));
  }
}

}  // namespace
}  // namespace lanekeeper::http2

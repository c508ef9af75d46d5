#include "proxy/base/words.h"

#include <gtest/gtest.h>

namespace lanekeeper {
namespace {

enum class Taste { kSweet, kSour, kBitter, kSalty };
constexpr auto kTastes = std::to_array<Named<Taste>>(
    {{"sweet", Taste::kSweet}, {"sour", Taste::kSour}, {"bitter", Taste::kBitter}});

TEST(WordsTest, ATableIsReadBothWays) {
  static_assert(NameOf(kTastes, Taste::kSour) == "sour");
  static_assert(ValueOf(kTastes, "sour") == Taste::kSour);
}

TEST(WordsTest, WhatTheTableDoesNotHaveIsNothing) {
  EXPECT_EQ(NameOf(kTastes, Taste::kSalty), "");
  EXPECT_EQ(ValueOf(kTastes, "salty"), std::nullopt);
  EXPECT_EQ(ValueOf(kTastes, ""), std::nullopt);
}

TEST(WordsTest, ChoicesAreASentence) { EXPECT_EQ(ChoicesOf(kTastes), "sweet, sour or bitter"); }

}  // namespace
}  // namespace lanekeeper

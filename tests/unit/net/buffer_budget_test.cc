#include "proxy/net/buffer_budget.h"

#include <gtest/gtest.h>

namespace lanekeeper {
namespace {

TEST(BufferBudgetTest, WithoutALimitNothingIsDone) {
  BufferBudget budget;
  budget.Add(int64_t{1} << 40);
  EXPECT_EQ(budget.stage(), BufferStage::kFree);
  EXPECT_TRUE(budget.TakeGrowth(1 << 20));
}

TEST(BufferBudgetTest, StagesAreEnteredOneByOne) {
  BufferBudget budget;
  budget.SetLimit(800);
  budget.Add(399);
  EXPECT_EQ(budget.stage(), BufferStage::kFree);
  budget.Add(1);
  EXPECT_EQ(budget.stage(), BufferStage::kNoGrowth);
  budget.Add(200);
  EXPECT_EQ(budget.stage(), BufferStage::kWithholdCredit);
  budget.Add(199);
  EXPECT_EQ(budget.stage(), BufferStage::kWithholdCredit);
  budget.Add(1);
  EXPECT_EQ(budget.stage(), BufferStage::kRefuse);
  budget.Add(100'000);
  EXPECT_EQ(budget.stage(), BufferStage::kRefuse);
  EXPECT_EQ(budget.held(), 100'800);
}

TEST(BufferBudgetTest, AStageIsLeftBelowWhereItIsEntered) {
  BufferBudget budget;
  budget.SetLimit(800);
  budget.Add(800);
  budget.Add(-100);
  EXPECT_EQ(budget.stage(), BufferStage::kRefuse);
  budget.Add(-1);
  EXPECT_EQ(budget.stage(), BufferStage::kWithholdCredit);
  budget.Add(-199);
  EXPECT_EQ(budget.stage(), BufferStage::kWithholdCredit);
  budget.Add(-1);
  EXPECT_EQ(budget.stage(), BufferStage::kNoGrowth);
  budget.Add(-200);
  EXPECT_EQ(budget.stage(), BufferStage::kFree);
  EXPECT_EQ(budget.held(), 299);
}

TEST(BufferBudgetTest, EachEntryIsCountedOnce) {
  BufferBudget budget;
  budget.SetLimit(800);
  for (int i = 0; i < 3; ++i) {
    budget.Add(700);
    budget.Add(-50);
    budget.Add(50);
    budget.Add(-700);
  }
  EXPECT_EQ(budget.entered(BufferStage::kNoGrowth), 3);
  EXPECT_EQ(budget.entered(BufferStage::kWithholdCredit), 3);
  EXPECT_EQ(budget.entered(BufferStage::kRefuse), 0);
}

TEST(BufferBudgetTest, ANewLimitHoldsAtOnce) {
  BufferBudget budget;
  budget.SetLimit(800);
  budget.Add(500);
  budget.SetLimit(500);
  EXPECT_EQ(budget.stage(), BufferStage::kRefuse);
  budget.SetLimit(8000);
  EXPECT_EQ(budget.stage(), BufferStage::kFree);
}

TEST(BufferBudgetTest, GrowthIsSharedAndEndsWithTheFirstStage) {
  BufferBudget budget;
  budget.SetLimit(800);
  EXPECT_FALSE(budget.TakeGrowth(101));
  EXPECT_TRUE(budget.TakeGrowth(100));
  EXPECT_FALSE(budget.TakeGrowth(76));
  EXPECT_TRUE(budget.TakeGrowth(75));
  budget.ReturnGrowth(175);
  EXPECT_TRUE(budget.TakeGrowth(100));
  budget.Add(400);
  EXPECT_FALSE(budget.TakeGrowth(1));
  budget.Add(-400);
  EXPECT_TRUE(budget.TakeGrowth(1));
}

}  // namespace
}  // namespace lanekeeper

#include "proxy/rpc/admission.h"

#include <gtest/gtest.h>

#include <chrono>

namespace lanekeeper {
namespace {

TEST(AdmissionTest, OneTooManyIsRefusedUntilAPlaceIsGivenBack) {
  Admission admission(1);
  RejectReason why{};
  {
    const auto place = admission.TryEnter(why);
    ASSERT_TRUE(place.has_value());
    EXPECT_FALSE(admission.TryEnter(why).has_value());
    EXPECT_EQ(why, RejectReason::kOpenRpcs);
    EXPECT_EQ(admission.open(), 1);
  }
  EXPECT_EQ(admission.open(), 0);
  EXPECT_TRUE(admission.TryEnter(why).has_value());
}

TEST(AdmissionTest, AnotherLimitIsForTheNextAndPutsNobodyOut) {
  Admission admission(2);
  RejectReason why{};
  auto first = admission.TryEnter(why);
  auto second = admission.TryEnter(why);
  admission.SetMax(1);
  EXPECT_EQ(admission.open(), 2);
  EXPECT_FALSE(admission.TryEnter(why).has_value());
  admission.SetMax(3);
  EXPECT_TRUE(admission.TryEnter(why).has_value());
}

TEST(AdmissionTest, NobodyEntersWhatIsClosed) {
  Admission admission(1);
  RejectReason why{};
  admission.Close();
  EXPECT_FALSE(admission.TryEnter(why).has_value());
  EXPECT_EQ(why, RejectReason::kDraining);
  EXPECT_TRUE(admission.WaitUntilEmpty(std::chrono::steady_clock::now()));
}

}  // namespace
}  // namespace lanekeeper

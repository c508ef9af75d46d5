#include "proxy/rpc/contract.h"

#include <gtest/gtest.h>

namespace lanekeeper {
namespace {

#ifdef NDEBUG
TEST(ContractTest, AViolationIsCountedAndSurvivedInRelease) {
  Cell violations;
  ReportContractViolation(violations, "test lane");
  EXPECT_EQ(violations.Get(), 1);
}
#else
TEST(ContractDeathTest, AViolationAbortsInDebug) {
  Cell violations;
  EXPECT_DEATH(ReportContractViolation(violations, "test lane"), "test lane");
}
#endif

}  // namespace
}  // namespace lanekeeper

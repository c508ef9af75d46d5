#include "proxy/rpc/contract.h"

#include <gtest/gtest.h>

#include <csignal>

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
  EXPECT_EXIT(ReportContractViolation(violations, "test lane"), ::testing::KilledBySignal(SIGABRT),
              "");
}
#endif

}  // namespace
}  // namespace lanekeeper

#include <gmock/gmock.h>
#include <grpc/grpc.h>

#include <cstdlib>

#include "tests/conformance/interop/interop_test.h"

namespace lanekeeper::testing {
namespace {

INSTANTIATE_TEST_SUITE_P(Interop, InteropTest, ::testing::ValuesIn(Routes()), RouteName);

// CMakeLists.txt names the routes again, for an entry in ctest each.
TEST(Routes, EachHasItsEntryInCtest) {
  const char* in_ctest = std::getenv("LANEKEEPER_CTEST_ROUTES");
  if (in_ctest == nullptr) GTEST_SKIP() << "ctest only";
  EXPECT_EQ(in_ctest, RouteNames());
}

}  // namespace
}  // namespace lanekeeper::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  // For good: gRPC's library would otherwise end with each test, and that can take it 10 s.
  grpc_init();
  return RUN_ALL_TESTS();
}

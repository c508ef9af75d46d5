#include <grpc/grpc.h>
#include <gtest/gtest.h>

#include "proxy/lifecycle/process_setup.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  lanekeeper::SetUpProcess();
  // For good: gRPC's library would otherwise end with each test, and that can take it 10 s.
  grpc_init();
  return RUN_ALL_TESTS();
}

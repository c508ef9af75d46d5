#include <grpc/grpc.h>
#include <gtest/gtest.h>

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  // For good: gRPC's library would otherwise end with each test, and that can take it 10 s.
  grpc_init();
  return RUN_ALL_TESTS();
}

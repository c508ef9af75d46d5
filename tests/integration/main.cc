#include <gtest/gtest.h>

#include "proxy/lifecycle/process_setup.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  lanekeeper::SetUpProcess();
  return RUN_ALL_TESTS();
}

// Lets one end's script wait for what the other end's has reached. Shared by both; opens as often
// as it is passed.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <semaphore>

#include "tests/support/tag_queue.h"

namespace lanekeeper::testing::wire {

class Gate {
 public:
  void Open() const { semaphore_->release(); }
  void Pass() const {
    EXPECT_TRUE(semaphore_->try_acquire_for(kPatience)) << "the gate stayed shut";
  }

 private:
  std::shared_ptr<std::counting_semaphore<>> semaphore_ =
      std::make_shared<std::counting_semaphore<>>(0);
};

}  // namespace lanekeeper::testing::wire

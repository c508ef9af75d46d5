#include "proxy/base/task.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

namespace lanekeeper {
namespace {

using ::testing::ElementsAre;

// Suspends until resumed by hand.
struct Gate {
  std::coroutine_handle<> waiter;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) noexcept { waiter = handle; }
  void await_resume() const noexcept {}
};

// Owns coroutines and what they write down.
class Owner {
 public:
  Pool& pool() { return pool_; }

  Detached Wait(std::string name, Gate& gate) {
    log.push_back(name + " waits");
    co_await gate;
    log.push_back(name + " ends");
  }

  Detached Hold(std::shared_ptr<int> held, Gate& gate) {
    co_await gate;
    log.push_back("holds " + std::to_string(*held));
  }

  Detached WaitWith4KiB(Gate& gate) {
    char large[4096];
    large[0] = 'a';
    large[sizeof large - 1] = 'z';
    co_await gate;
    log.push_back({large[0], large[sizeof large - 1]});
  }

  std::vector<std::string> log;

 private:
  Pool pool_;
};

TEST(TaskTest, StartsAtOnceAndGoesOnWhenResumed) {
  Owner owner;
  Gate gate;
  owner.Wait("a", gate);
  owner.log.push_back("started");
  gate.waiter.resume();
  EXPECT_THAT(owner.log, ElementsAre("a waits", "started", "a ends"));
}

TEST(TaskTest, SeveralOfOneOwnerGoOnInAnyOrder) {
  Owner owner;
  Gate a;
  Gate b;
  owner.Wait("a", a);
  owner.Wait("b", b);
  b.waiter.resume();
  a.waiter.resume();
  EXPECT_THAT(owner.log, ElementsAre("a waits", "b waits", "b ends", "a ends"));
}

TEST(TaskTest, TheFrameIsThePoolsAndServesTheNext) {
  Owner owner;
  Gate gate;
  owner.Wait("first", gate);
  EXPECT_EQ(owner.pool().kept_bytes(), 0u);
  gate.waiter.resume();
  const size_t kept = owner.pool().kept_bytes();
  EXPECT_GT(kept, 0u);
  owner.Wait("second", gate);
  EXPECT_EQ(owner.pool().kept_bytes(), 0u);
  gate.waiter.resume();
  EXPECT_EQ(owner.pool().kept_bytes(), kept);
}

TEST(TaskTest, AFrameTooLargeForThePoolIsNotKept) {
  Owner owner;
  Gate gate;
  owner.WaitWith4KiB(gate);
  gate.waiter.resume();
  EXPECT_THAT(owner.log, ElementsAre("az"));
  EXPECT_EQ(owner.pool().kept_bytes(), 0u);
}

TEST(TaskTest, WhatItHoldsGoesWithItsEnd) {
  Owner owner;
  Gate gate;
  auto held = std::make_shared<int>(7);
  const std::weak_ptr<int> seen = held;
  owner.Hold(std::move(held), gate);
  EXPECT_FALSE(seen.expired());
  gate.waiter.resume();
  EXPECT_TRUE(seen.expired());
  EXPECT_THAT(owner.log, ElementsAre("holds 7"));
}

}  // namespace
}  // namespace lanekeeper

#include "proxy/threads/core_context.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "proxy/threads/local_completions.h"
#include "tests/unit/proxy/lame_calls.h"

namespace lanekeeper {
namespace {

class CoreContextTest : public ::testing::Test {
 protected:
  CoreContextTest() : completions_(calls_.queue()) { completions_.Open(); }

  LameCalls calls_;
  LocalCompletions completions_;
  CoreContext context_;
};

TEST_F(CoreContextTest, WhatIsStartedInsideIsDoneByTheFlush) {
  Counted first;
  Counted second;
  context_.Enter();
  calls_.StartHere(first);
  calls_.StartHere(second);
  EXPECT_TRUE(completions_.empty());
  context_.Flush();
  EXPECT_EQ(&completions_.Pop(), &first);
  EXPECT_EQ(&completions_.Pop(), &second);
  context_.Leave();
}

TEST_F(CoreContextTest, OutsideEverythingIsDoneAtOnce) {
  Counted before;
  calls_.StartHere(before);
  EXPECT_EQ(&completions_.Pop(), &before);

  context_.Enter();
  context_.Leave();
  Counted after;
  calls_.StartHere(after);
  EXPECT_EQ(&completions_.Pop(), &after);
  context_.Flush();  // not ours to do
}

TEST_F(CoreContextTest, AnotherThreadDoesWhatHasBeenStarted) {
  Counted own;
  context_.Enter();
  calls_.StartHere(own);
  context_.Leave();
  completions_.Close();
  EXPECT_TRUE(completions_.empty());
  std::thread([&] {
    completions_.Open();
    context_.Enter();
    context_.Flush();
    EXPECT_EQ(&completions_.Pop(), &own);
    context_.Leave();
    completions_.Close();
  }).join();
}

TEST_F(CoreContextTest, ManyMayLiveAtOnce) {
  Counted own;
  std::optional<CoreContext> other(std::in_place);
  context_.Enter();
  calls_.StartHere(own);
  context_.Leave();
  other->Enter();
  other->Flush();
  EXPECT_TRUE(completions_.empty());
  other->Leave();
  other.reset();
  context_.Enter();
  context_.Flush();
  EXPECT_EQ(&completions_.Pop(), &own);
  context_.Leave();
}

TEST_F(CoreContextTest, AVisitDoesWhatItHasStarted) {
  Counted own;
  bool visited = false;
  CoreContext::Visit([&] {
    visited = true;
    calls_.StartHere(own);
  });
  EXPECT_TRUE(visited);
  EXPECT_EQ(&completions_.Pop(), &own);
}

}  // namespace
}  // namespace lanekeeper

#include "proxy/threads/local_completions.h"

#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <thread>
#include <vector>

#include "tests/unit/proxy/lame_calls.h"

namespace lanekeeper {
namespace {

class LocalCompletionsTest : public ::testing::Test {
 protected:
  LocalCompletionsTest() : completions_(calls_.queue()) { completions_->Open(); }

  LameCalls calls_;
  std::optional<LocalCompletions> completions_;
};

// With a gRPC whose functions are not replaced this fails, and each message costs a quarter more.
TEST_F(LocalCompletionsTest, WhatCompletesOnThisThreadDoesNotGoThroughTheQueue) {
  Counted first;
  Counted second;
  calls_.StartHere(first);
  calls_.StartHere(second);
  EXPECT_EQ(calls_.NextAtHand().type, GRPC_QUEUE_TIMEOUT);
  ASSERT_FALSE(completions_->empty());
  EXPECT_EQ(&completions_->Pop(), &first);
  EXPECT_EQ(&completions_->Pop(), &second);
  EXPECT_TRUE(completions_->empty());
}

TEST_F(LocalCompletionsTest, WhatHasBeenPoppedKnowsHowItEnded) {
  Counted one;
  calls_.StartHere(one);
  completions_->Pop().Do();
  EXPECT_EQ(one.completed, 1);
  EXPECT_TRUE(one.ok);
}

TEST_F(LocalCompletionsTest, WhatCompletesElsewhereComesThroughTheQueue) {
  Counted late;
  Counted early;
  calls_.StartElsewhere(late, 60);
  calls_.StartElsewhere(early, 1);
  EXPECT_EQ(calls_.Next().tag, early.tag());
  EXPECT_EQ(calls_.Next().tag, late.tag());
  EXPECT_TRUE(completions_->empty());
}

TEST_F(LocalCompletionsTest, WhatCameThroughTheQueueIsDeliveredFirst) {
  Counted elsewhere;
  Counted here;
  calls_.StartElsewhere(elsewhere, 1);
  const grpc_event event = calls_.Next();
  calls_.StartHere(here);
  completions_->PutFirst(event);
  EXPECT_EQ(&completions_->Pop(), &elsewhere);
  EXPECT_EQ(&completions_->Pop(), &here);
}

TEST_F(LocalCompletionsTest, AGroupIsOverBeforeTheNextBegins) {
  std::deque<Counted> four(4);
  for (Counted& one : four) calls_.StartHere(one);
  completions_->BeginGroup(2);
  EXPECT_EQ(&completions_->Pop(), &four[0]);
  completions_->BeginGroup(2);  // it goes on
  Counted brought_about;
  calls_.StartHere(brought_about);
  EXPECT_EQ(&completions_->Pop(), &four[1]);
  EXPECT_EQ(&completions_->Pop(), &brought_about);
  EXPECT_TRUE(completions_->group_empty());
  EXPECT_FALSE(completions_->empty());
  completions_->BeginGroup(2);
  EXPECT_EQ(&completions_->Pop(), &four[2]);
  EXPECT_EQ(&completions_->Pop(), &four[3]);
  EXPECT_TRUE(completions_->empty());
}

TEST_F(LocalCompletionsTest, TheFirstCompletionOfAWaitEndsIt) {
  Counted first;
  Counted second;
  completions_->WaitBegins();
  calls_.StartHere(first);
  calls_.StartHere(second);
  EXPECT_EQ(calls_.Next().tag, first.tag());
  completions_->WaitEnds();
  EXPECT_EQ(&completions_->Pop(), &second);
}

TEST_F(LocalCompletionsTest, ClosedItTakesNothing) {
  Counted own;
  completions_->Close();
  calls_.StartHere(own);
  EXPECT_TRUE(completions_->empty());
  EXPECT_EQ(calls_.Next().tag, own.tag());
}

TEST_F(LocalCompletionsTest, AnotherThreadMayGoOn) {
  Counted own;
  calls_.StartHere(own);
  completions_->Close();
  std::thread([&] {
    completions_->Open();
    EXPECT_EQ(&completions_->Pop(), &own);
    completions_->Close();
  }).join();
}

TEST_F(LocalCompletionsTest, OtherQueuesKeepTheirCompletions) {
  grpc_completion_queue* const other = grpc_completion_queue_create_for_next(nullptr);
  Counted own;
  calls_.StartHere(own, other);
  EXPECT_TRUE(completions_->empty());
  EXPECT_EQ(LameCalls::NextOf(other, gpr_inf_future(GPR_CLOCK_REALTIME)).tag, own.tag());
  grpc_completion_queue_shutdown(other);
  LameCalls::NextOf(other, gpr_inf_future(GPR_CLOCK_REALTIME));
  grpc_completion_queue_destroy(other);
}

TEST(LocalCompletions, MoreQueuesThanThereAreSlotsForAreServed) {
  constexpr int kQueues = 2000;
  LameCalls calls;
  std::vector<grpc_completion_queue*> queues;
  std::deque<LocalCompletions> completions;
  for (int i = 0; i < kQueues; ++i) {
    queues.push_back(grpc_completion_queue_create_for_next(nullptr));
    completions.emplace_back(queues.back());
  }
  std::deque<Counted> elsewhere(kQueues);
  for (int i = 0; i < kQueues; ++i) {
    calls.StartElsewhere(elsewhere[static_cast<size_t>(i)], 1, queues[static_cast<size_t>(i)]);
  }
  for (int i = 0; i < kQueues; ++i) {
    const auto index = static_cast<size_t>(i);
    completions[index].Open();
    const grpc_event event = LameCalls::NextOf(queues[index], gpr_inf_future(GPR_CLOCK_REALTIME));
    ASSERT_EQ(event.tag, elsewhere[index].tag());
    completions[index].Close();
  }
  completions.clear();
  for (grpc_completion_queue* queue : queues) {
    grpc_completion_queue_shutdown(queue);
    EXPECT_EQ(LameCalls::NextOf(queue, gpr_inf_future(GPR_CLOCK_REALTIME)).type,
              GRPC_QUEUE_SHUTDOWN);
    grpc_completion_queue_destroy(queue);
  }
}

}  // namespace
}  // namespace lanekeeper

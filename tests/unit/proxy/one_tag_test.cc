#include "proxy/threads/one_tag.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <vector>

#include "proxy/lifecycle/grpc_runtime.h"

namespace lanekeeper {
namespace {

class Counted final : public Completion {
 public:
  int completed = 0;

 protected:
  void OnComplete(bool) override { ++completed; }
};

// Operations that end by themselves: watches of a channel that nothing happens to.
class OneTagTest : public ::testing::Test {
 protected:
  OneTagTest()
      : queue_(grpc_completion_queue_create_for_next(nullptr)),
        credentials_(grpc_insecure_credentials_create()),
        channel_(grpc_channel_create("unix:///nowhere", credentials_, nullptr)) {}
  ~OneTagTest() override {
    grpc_channel_destroy(channel_);
    grpc_channel_credentials_release(credentials_);
    grpc_completion_queue_shutdown(queue_);
    while (Next().type != GRPC_QUEUE_SHUTDOWN) {
    }
    grpc_completion_queue_destroy(queue_);
  }

  void Start(Completion& completion, int milliseconds) {
    const gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                               gpr_time_from_millis(milliseconds, GPR_TIMESPAN));
    grpc_channel_watch_connectivity_state(channel_, GRPC_CHANNEL_IDLE, deadline, queue_,
                                          completion.tag());
  }
  grpc_event Next() {
    return grpc_completion_queue_next(queue_, gpr_inf_future(GPR_CLOCK_REALTIME), nullptr);
  }

  const GrpcRuntime grpc_;
  grpc_completion_queue* const queue_;
  grpc_channel_credentials* const credentials_;
  grpc_channel* const channel_;
};

TEST_F(OneTagTest, EachEventIsThatOfItsOperation) {
  const OneTag one_tag(queue_);
  Counted late;
  Counted early;
  Start(late, 60);
  Start(early, 1);
  EXPECT_EQ(CompletionOf(Next()), &early);
  EXPECT_EQ(CompletionOf(Next()), &late);
}

// With a gRPC that has no such functions this fails, and idle streams make others dearer.
TEST_F(OneTagTest, CoreIsGivenTheSameTagForAll) {
  const OneTag one_tag(queue_);
  Counted first;
  Counted second;
  Start(first, 1);
  Start(second, 1);
  const grpc_event one = Next();
  EXPECT_NE(one.tag, first.tag());
  EXPECT_NE(one.tag, second.tag());
  EXPECT_EQ(Next().tag, one.tag);
}

TEST_F(OneTagTest, OtherQueuesKeepTheirTags) {
  std::optional<OneTag> one_tag(queue_);
  one_tag.reset();
  Counted own;
  Start(own, 1);
  const grpc_event event = Next();
  EXPECT_EQ(event.tag, own.tag());
  EXPECT_EQ(CompletionOf(event), &own);
}

TEST_F(OneTagTest, MoreQueuesThanThereAreSlotsForAreServed) {
  constexpr int kQueues = 2000;
  std::vector<grpc_completion_queue*> queues;
  std::deque<OneTag> tags;
  for (int i = 0; i < kQueues; ++i) {
    queues.push_back(grpc_completion_queue_create_for_next(nullptr));
    tags.emplace_back(queues.back());
  }
  Counted own;
  const OneTag one_tag(queue_);
  Start(own, 1);
  EXPECT_EQ(CompletionOf(Next()), &own);
  tags.clear();
  for (grpc_completion_queue* queue : queues) {
    grpc_completion_queue_shutdown(queue);
    grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), nullptr);
    grpc_completion_queue_destroy(queue);
  }
}

}  // namespace
}  // namespace lanekeeper

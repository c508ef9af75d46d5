#include "proxy/admin/watch.h"

#include <gmock/gmock.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "tests/support/proxy_harness.h"
#include "tests/unit/admin/fake_control.h"

namespace lanekeeper {
namespace {

using lanekeeper::testing::Eventually;
using lanekeeper::testing::FakeControl;
using lanekeeper::testing::SomeStream;
using ::testing::HasSubstr;

// A watch on a thread of its own, with a peer that takes everything until told otherwise.
class WatchTest : public ::testing::Test {
 protected:
  ~WatchTest() override { End(); }

  void Start(const adminpb::WatchStreamsRequest& request) {
    ASSERT_TRUE(PlanWatch(request, &plan_).ok());
    thread_ = std::thread([this] {
      RunWatch(control_, plan_, watchers_,
               {.gone = [this] { return gone_.load(); },
                .send =
                    [this](const adminpb::WatchStreamsResponse& response) {
                      std::lock_guard lock(mutex_);
                      if (takes_) responses_.push_back(response);
                      return takes_;
                    }});
      ended_ = true;
    });
  }

  void End() {
    watchers_.Stop();
    if (thread_.joinable()) thread_.join();
  }

  void RefuseFromNowOn() {
    std::lock_guard lock(mutex_);
    takes_ = false;
  }

  std::vector<adminpb::StreamEvent> Events() {
    std::lock_guard lock(mutex_);
    std::vector<adminpb::StreamEvent> events;
    for (const auto& response : responses_) {
      events.insert(events.end(), response.events().begin(), response.events().end());
    }
    return events;
  }

  size_t Responses() {
    std::lock_guard lock(mutex_);
    return responses_.size();
  }

  FakeControl control_;
  Watchers watchers_{2};
  WatchPlan plan_;
  std::atomic<bool> gone_{false};
  std::atomic<bool> ended_{false};
  std::mutex mutex_;
  bool takes_ = true;
  std::vector<adminpb::WatchStreamsResponse> responses_;
  std::thread thread_;
};

// 100 ms, the least.
adminpb::WatchStreamsRequest Quick() {
  adminpb::WatchStreamsRequest request;
  request.mutable_interval()->set_nanos(1);
  return request;
}

TEST_F(WatchTest, BeginsWithTotalsThoughNothingIsOpen) {
  Start(Quick());
  EXPECT_TRUE(Eventually([this] { return Responses() == 1; }));
  EXPECT_EQ(responses_[0].totals().upstream_address(), "upstream.example:443");
  EXPECT_EQ(responses_[0].events_size(), 0);
}

TEST_F(WatchTest, BeginsWithWhatIsOpenAndGoesOnWithWhatChanges) {
  control_.Add(SomeStream(1));
  Start(Quick());
  ASSERT_TRUE(Eventually([this] { return Events().size() == 1; }));
  control_.Change(1, [](StreamSnapshot& stream) { ++stream.to_upstream.messages; });
  ASSERT_TRUE(Eventually([this] { return Events().size() == 2; }));
  control_.Remove(1);
  ASSERT_TRUE(Eventually([this] { return Events().size() == 3; }));
  const auto events = Events();
  EXPECT_EQ(events[0].kind(), adminpb::StreamEvent::OPENED);
  EXPECT_EQ(events[1].kind(), adminpb::StreamEvent::CHANGED);
  EXPECT_EQ(events[1].stream().to_upstream().messages(), 8u);
  EXPECT_EQ(events[2].kind(), adminpb::StreamEvent::ENDED);
  EXPECT_EQ(events[2].stream().to_upstream().messages(), 8u);
}

TEST_F(WatchTest, NothingIsSentWhileNothingHappens) {
  control_.Add(SomeStream(1));
  Start(Quick());
  ASSERT_TRUE(Eventually([this] { return control_.looks() >= 5; }));
  EXPECT_EQ(Responses(), 1u);
}

TEST_F(WatchTest, TotalsComeEveryFewSecondsThoughNothingHappens) {
  Start(Quick());
  EXPECT_TRUE(Eventually([this] { return Responses() >= 2; }));
  EXPECT_TRUE(Events().empty());
}

TEST_F(WatchTest, OnlyAsManyStreamsAsAskedForAreFollowed) {
  control_.AddMany(10);
  adminpb::WatchStreamsRequest request = Quick();
  request.set_max_streams(3);
  Start(request);
  ASSERT_TRUE(Eventually([this] { return control_.looks() >= 2; }));
  EXPECT_EQ(Events().size(), 3u);
  EXPECT_EQ(responses_[0].totals().streams_matching(), 10u);
}

TEST_F(WatchTest, ManyEventsAreSentInMessagesThatClientsTake) {
  for (StreamId id = 1; id <= 1000; ++id) {
    StreamSnapshot stream = SomeStream(id);
    stream.method = "/" + std::string(10'000, 'm');
    control_.Add(stream);
  }
  Start(Quick());
  ASSERT_TRUE(Eventually([this] { return Events().size() == 1000; }));
  std::lock_guard lock(mutex_);
  for (const auto& response : responses_) EXPECT_LT(response.ByteSizeLong(), 2u * 1024 * 1024);
}

TEST_F(WatchTest, EndsWhenThePeerHasGone) {
  Start(Quick());
  gone_ = true;
  EXPECT_TRUE(Eventually([this] { return ended_.load(); }));
}

TEST_F(WatchTest, EndsWhenThePeerTakesNothing) {
  Start(Quick());
  ASSERT_TRUE(Eventually([this] { return Responses() == 1; }));
  RefuseFromNowOn();
  control_.Add(SomeStream(1));
  EXPECT_TRUE(Eventually([this] { return ended_.load(); }));
}

TEST_F(WatchTest, EndsWhenAllEndHoweverLongTheInterval) {
  adminpb::WatchStreamsRequest request;
  request.mutable_interval()->set_seconds(1000);
  Start(request);
  ASSERT_TRUE(Eventually([this] { return Responses() == 1; }));
  watchers_.Stop();
  EXPECT_TRUE(Eventually([this] { return ended_.load(); }));
}

TEST(WatchersTest, APlaceIsFreeAgainWhenItsWatcherHasGone) {
  Watchers watchers(2);
  auto first = watchers.Enter();
  const auto second = watchers.Enter();
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(watchers.Enter());
  EXPECT_EQ(watchers.Refusal().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  first.reset();
  EXPECT_TRUE(watchers.Enter());
}

TEST(WatchersTest, NobodyEntersWhenAllEnd) {
  Watchers watchers(2);
  watchers.Stop();
  EXPECT_FALSE(watchers.Enter());
  EXPECT_EQ(watchers.Refusal().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_FALSE(watchers.SleepUntil(std::chrono::steady_clock::now() + std::chrono::hours(1)));
}

TEST(PlanWatchTest, DefaultsAndBounds) {
  WatchPlan plan;
  ASSERT_TRUE(PlanWatch({}, &plan).ok());
  EXPECT_EQ(plan.interval, std::chrono::seconds(1));
  EXPECT_EQ(plan.max_streams, 1000u);
  adminpb::WatchStreamsRequest request = Quick();
  request.set_max_streams(1'000'000);
  ASSERT_TRUE(PlanWatch(request, &plan).ok());
  EXPECT_EQ(plan.interval, std::chrono::milliseconds(100));
  EXPECT_EQ(plan.max_streams, 10'000u);
}

TEST(PlanWatchTest, ANegativeIntervalIsRefused) {
  adminpb::WatchStreamsRequest request;
  request.mutable_interval()->set_seconds(-1);
  WatchPlan plan;
  const grpc::Status status = PlanWatch(request, &plan);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("interval: expected"));
}

}  // namespace
}  // namespace lanekeeper

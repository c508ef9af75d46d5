#include "proxy/rpc/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <list>
#include <string>

namespace lanekeeper {
namespace {

using ::testing::HasSubstr;

OpenCount NewConnection() { return std::make_shared<int64_t>(0); }

class AdmissionTest : public ::testing::Test {
 protected:
  // Whether there was a place, which is kept.
  bool Enter(const OpenCount& connection, const std::string& method = "/a.B/C") {
    auto place = admission_.TryEnter(method, connection, why_);
    if (place) places_.push_back(*std::move(place));
    return place.has_value();
  }

  Admission admission_{LimitsConfig{}};
  std::list<AdmittedPlace> places_;
  Rejection why_;
  OpenCount connection_ = NewConnection();
};

TEST_F(AdmissionTest, OneTooManyIsRefusedUntilAPlaceIsGivenBack) {
  admission_.SetLimits({.open_rpcs = 1});
  ASSERT_TRUE(Enter(connection_));
  EXPECT_FALSE(Enter(connection_));
  EXPECT_EQ(why_.reason, RejectReason::kOpenRpcs);
  EXPECT_EQ(admission_.open(), 1);
  places_.clear();
  EXPECT_EQ(admission_.open(), 0);
  EXPECT_TRUE(Enter(connection_));
}

TEST_F(AdmissionTest, NobodyEntersWhatIsClosed) {
  admission_.Close();
  EXPECT_FALSE(Enter(connection_));
  EXPECT_EQ(why_.reason, RejectReason::kDraining);
  EXPECT_TRUE(admission_.WaitUntilEmpty(std::chrono::steady_clock::now()));
}

TEST_F(AdmissionTest, AConnectionHasItsOwnCap) {
  admission_.SetLimits({.streams_per_connection = 2});
  const OpenCount other = NewConnection();
  EXPECT_TRUE(Enter(connection_));
  EXPECT_TRUE(Enter(connection_));
  EXPECT_FALSE(Enter(connection_));
  EXPECT_EQ(why_.reason, RejectReason::kStreamsPerConnection);
  EXPECT_THAT(why_.message, HasSubstr("limits.streams_per_connection reached (2)"));
  EXPECT_TRUE(Enter(other));
  places_.pop_front();
  EXPECT_EQ(*connection_, 1);
  EXPECT_TRUE(Enter(connection_));
}

TEST_F(AdmissionTest, AnEntryOfMethodsCountsAllThatMatchItTogether) {
  admission_.SetLimits({.methods = {{"/a.B/Free", 3}, {"/a.B/*", 2}}});
  EXPECT_TRUE(Enter(NewConnection(), "/a.B/C"));
  EXPECT_TRUE(Enter(NewConnection(), "/a.B/D"));
  EXPECT_FALSE(Enter(NewConnection(), "/a.B/E"));
  EXPECT_EQ(why_.reason, RejectReason::kMethods);
  EXPECT_THAT(why_.message, HasSubstr("limits.methods[1].open_rpcs reached (2 of '/a.B/*')"));
  EXPECT_TRUE(Enter(NewConnection(), "/a.B/Free"));
  EXPECT_TRUE(Enter(NewConnection(), "/x.Y/Z"));
  places_.pop_front();
  EXPECT_TRUE(Enter(NewConnection(), "/a.B/E"));
}

TEST_F(AdmissionTest, ARefusalTakesNoPlaceOfAnyKind) {
  admission_.SetLimits({.open_rpcs = 1, .streams_per_connection = 1, .methods = {{"/a.B/*", 1}}});
  ASSERT_TRUE(Enter(connection_, "/x.Y/Z"));
  const OpenCount other = NewConnection();
  EXPECT_FALSE(Enter(other, "/a.B/C"));
  EXPECT_EQ(why_.reason, RejectReason::kOpenRpcs);
  EXPECT_EQ(*other, 0);
  places_.clear();
  EXPECT_TRUE(Enter(other, "/a.B/C"));
}

// One that stands in the queue, and whether its turn has come.
class Waiter final : public PlaceObserver {
 public:
  explicit Waiter(AdmittedPlace place) : place_(std::move(place)) { place_.Queue(*this); }
  AdmittedPlace& place() { return place_; }
  bool entered() const { return entered_; }

 private:
  void OnPlace() override { entered_ = true; }

  AdmittedPlace place_;
  bool entered_ = false;
};

class AdmissionQueueTest : public AdmissionTest {
 protected:
  AdmissionQueueTest() { admission_.SetLimits({.open_rpcs = 1, .queue = {.length = 3}}); }

  Waiter& Wait() {
    auto place = admission_.TryEnter("/a.B/C", connection_, why_);
    EXPECT_TRUE(place && place->waits());
    return waiters_.emplace_back(*std::move(place));
  }

  std::list<Waiter> waiters_;
};

TEST_F(AdmissionQueueTest, TheFirstThatCameIsTheNextToEnter) {
  ASSERT_TRUE(Enter(connection_));
  const Waiter& first = Wait();
  const Waiter& second = Wait();
  EXPECT_EQ(admission_.open(), 3);
  EXPECT_EQ(admission_.waiting(), 2);
  places_.clear();
  EXPECT_TRUE(first.entered());
  EXPECT_FALSE(second.entered());
  EXPECT_EQ(admission_.waiting(), 1);
  waiters_.pop_front();
  EXPECT_TRUE(second.entered());
  EXPECT_FALSE(waiters_.front().place().waits());
  EXPECT_EQ(admission_.open(), 1);
}

TEST_F(AdmissionQueueTest, TheQueueHasAnEnd) {
  ASSERT_TRUE(Enter(connection_));
  for (int i = 0; i < 3; ++i) Wait();
  EXPECT_FALSE(Enter(connection_));
  EXPECT_EQ(why_.reason, RejectReason::kQueueFull);
  EXPECT_EQ(admission_.open(), 4);
}

TEST_F(AdmissionQueueTest, WhoGivesUpIsPassedOver) {
  ASSERT_TRUE(Enter(connection_));
  Waiter& first = Wait();
  const Waiter& second = Wait();
  first.place().GiveUp();
  EXPECT_EQ(admission_.waiting(), 1);
  places_.clear();
  EXPECT_FALSE(first.entered());
  EXPECT_TRUE(second.entered());
  // It holds no place, only its RPC is not gone yet.
  EXPECT_EQ(admission_.open(), 2);
  waiters_.pop_front();
  EXPECT_EQ(admission_.open(), 1);
}

TEST_F(AdmissionQueueTest, ALargerCapLetsTheFirstOnesIn) {
  ASSERT_TRUE(Enter(connection_));
  const Waiter& first = Wait();
  const Waiter& second = Wait();
  const Waiter& third = Wait();
  admission_.SetLimits({.open_rpcs = 3, .queue = {.length = 3}});
  EXPECT_TRUE(first.entered());
  EXPECT_TRUE(second.entered());
  EXPECT_FALSE(third.entered());
}

TEST_F(AdmissionQueueTest, ThoseThatWaitCountForTheirConnectionAndMethod) {
  admission_.SetLimits({.open_rpcs = 1,
                        .queue = {.length = 3},
                        .streams_per_connection = 2,
                        .methods = {{"/x.Y/Z", 1}}});
  ASSERT_TRUE(Enter(connection_));
  Wait();
  EXPECT_FALSE(Enter(connection_));
  EXPECT_EQ(why_.reason, RejectReason::kStreamsPerConnection);
  ASSERT_TRUE(Enter(NewConnection(), "/x.Y/Z"));
  EXPECT_TRUE(places_.back().waits());
  EXPECT_FALSE(Enter(NewConnection(), "/x.Y/Z"));
  EXPECT_EQ(why_.reason, RejectReason::kMethods);
}

TEST_F(AdmissionTest, NewLimitsHoldFromTheNextRpcOn) {
  admission_.SetLimits({.methods = {{"/a.B/*", 2}}});
  ASSERT_TRUE(Enter(NewConnection()));
  ASSERT_TRUE(Enter(NewConnection()));
  admission_.SetLimits({.open_rpcs = 3, .methods = {{"/a.B/C", 9}, {"/a.B/*", 3}}});
  EXPECT_TRUE(Enter(NewConnection(), "/a.B/D"));
  EXPECT_EQ(admission_.open(), 3);
  EXPECT_FALSE(Enter(NewConnection(), "/x.Y/Z"));
  EXPECT_EQ(why_.reason, RejectReason::kOpenRpcs);
  EXPECT_FALSE(Enter(NewConnection(), "/a.B/D"));
  EXPECT_EQ(why_.reason, RejectReason::kMethods);
  places_.clear();
  EXPECT_EQ(admission_.open(), 0);
}

}  // namespace
}  // namespace lanekeeper

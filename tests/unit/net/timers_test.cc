#include "proxy/net/timers.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace lanekeeper {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Writes its number down when it is due, and may do more.
class Noted {
 public:
  Noted(Timers& timers, std::vector<int>& log, int number)
      : log_(log), number_(number), timer(timers, *this) {}

  std::function<void()> more;

 private:
  void OnDue() {
    log_.push_back(number_);
    if (more) more();
  }

  std::vector<int>& log_;
  const int number_;

 public:
  TimerOf<Noted, &Noted::OnDue> timer;
};

class TimersTest : public ::testing::Test {
 protected:
  Timers timers_;
  std::vector<int> log_;
  Noted a_{timers_, log_, 1};
  Noted b_{timers_, log_, 2};
  Noted c_{timers_, log_, 3};
};

TEST_F(TimersTest, NoneIsEarly) {
  a_.timer.Set(100);
  timers_.RunDue(99);
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_TRUE(a_.timer.is_set());
  timers_.RunDue(100);
  EXPECT_THAT(log_, ElementsAre(1));
  EXPECT_FALSE(a_.timer.is_set());
}

TEST_F(TimersTest, TheyRunInTheOrderOfTheirTimes) {
  a_.timer.Set(30);
  b_.timer.Set(10);
  c_.timer.Set(20);
  EXPECT_EQ(timers_.next(), 10);
  timers_.RunDue(30);
  EXPECT_THAT(log_, ElementsAre(2, 3, 1));
  EXPECT_EQ(timers_.next(), std::nullopt);
}

TEST_F(TimersTest, SettingAgainMovesItEitherWay) {
  a_.timer.Set(20);
  b_.timer.Set(30);
  a_.timer.Set(40);
  b_.timer.Set(10);
  EXPECT_EQ(timers_.size(), 2u);
  EXPECT_EQ(timers_.next(), 10);
  timers_.RunDue(30);
  EXPECT_THAT(log_, ElementsAre(2));
  timers_.RunDue(40);
  EXPECT_THAT(log_, ElementsAre(2, 1));
}

TEST_F(TimersTest, ACancelledOneDoesNotRun) {
  a_.timer.Set(10);
  b_.timer.Set(20);
  a_.timer.Cancel();
  a_.timer.Cancel();
  timers_.RunDue(100);
  EXPECT_THAT(log_, ElementsAre(2));
}

TEST_F(TimersTest, ADestroyedOneDoesNotRun) {
  {
    Noted gone(timers_, log_, 4);
    gone.timer.Set(10);
  }
  EXPECT_EQ(timers_.size(), 0u);
  timers_.RunDue(100);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(TimersTest, OneThatIsDueMaySetItselfAgain) {
  a_.more = [&] { a_.timer.Set(200); };
  a_.timer.Set(10);
  timers_.RunDue(100);
  EXPECT_THAT(log_, ElementsAre(1));
  EXPECT_EQ(timers_.next(), 200);
}

TEST_F(TimersTest, OneThatIsDueMayCancelAnotherThatIs) {
  a_.more = [&] { b_.timer.Cancel(); };
  a_.timer.Set(10);
  b_.timer.Set(10);
  c_.timer.Set(20);
  b_.more = [&] { a_.timer.Cancel(); };
  timers_.RunDue(100);
  EXPECT_EQ(log_.size(), 2u) << "one of the first two, and the third";
  EXPECT_EQ(log_.back(), 3);
}

// Destroys itself when it is due.
class Last {
 public:
  Last(Timers& timers, std::unique_ptr<Last>& self) : self_(self), timer(timers, *this) {}

 private:
  void OnDue() { self_.reset(); }

  std::unique_ptr<Last>& self_;

 public:
  TimerOf<Last, &Last::OnDue> timer;
};

TEST_F(TimersTest, OneThatIsDueMayDestroyItself) {
  std::unique_ptr<Last> last;
  last = std::make_unique<Last>(timers_, last);
  last->timer.Set(10);
  a_.timer.Set(20);
  timers_.RunDue(100);
  EXPECT_EQ(last, nullptr);
  EXPECT_THAT(log_, ElementsAre(1));
}

TEST_F(TimersTest, ManyThatAreSetMovedAndCancelledAtRandomRunInOrder) {
  std::mt19937 random(1);  // the same in every run
  std::vector<std::unique_ptr<Noted>> all;
  for (int i = 0; i < 500; ++i) all.push_back(std::make_unique<Noted>(timers_, log_, i));
  for (int i = 0; i < 5000; ++i) {
    Noted& one = *all[random() % all.size()];
    if (random() % 4 == 0)
      one.timer.Cancel();
    else
      one.timer.Set(static_cast<Instant>(1 + random() % 1000));
  }
  std::vector<Instant> expected;
  for (const auto& one : all) {
    if (one->timer.is_set()) expected.push_back(one->timer.due());
  }
  std::sort(expected.begin(), expected.end());
  ASSERT_EQ(timers_.size(), expected.size());
  std::vector<Instant> ran;
  for (Instant now = 1; now <= 1000; ++now) {
    log_.clear();
    timers_.RunDue(now);
    for (int number : log_) ran.push_back(all[static_cast<size_t>(number)]->timer.due());
    EXPECT_TRUE(std::all_of(ran.end() - static_cast<ptrdiff_t>(log_.size()), ran.end(),
                            [now](Instant due) { return due == now; }));
  }
  EXPECT_EQ(ran, expected);
}

}  // namespace
}  // namespace lanekeeper

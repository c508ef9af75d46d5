#include "proxy/net/event_loop.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <string>
#include <thread>

#include "tests/unit/net/loop_testing.h"

namespace lanekeeper {
namespace {

using lanekeeper::testing::TestLoop;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Both ends of a connection, non-blocking.
struct Pair {
  Pair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    near = Fd(ends[0]);
    far = Fd(ends[1]);
  }
  void Write() const { EXPECT_EQ(write(far.get(), "x", 1), 1); }

  Fd near;
  Fd far;
};

class Handler final : public EventHandler {
 public:
  void OnEvents(uint32_t events) override {
    seen |= events;
    ++count;
    if (more) more();
  }

  uint32_t seen = 0;
  int count = 0;
  std::function<void()> more;
};

class Output final : public Flushable {
 public:
  void Flush() override {
    ++count;
    if (more) more();
  }

  int count = 0;
  std::function<void()> more;
};

// Says when it is destroyed.
class Remains final : public Retired {
 public:
  explicit Remains(bool& gone) : gone_(gone) {}
  ~Remains() override { gone_ = true; }

 private:
  bool& gone_;
};

class EventLoopTest : public ::testing::Test {
 protected:
  TestLoop loop_;
};

TEST_F(EventLoopTest, WhatIsPostedByAnotherThreadEndsTheWaitAndRunsHere) {
  std::thread::id ran;
  std::thread other([&] { loop_.Post([&] { ran = std::this_thread::get_id(); }); });
  EXPECT_TRUE(loop_.RunUntil([&] { return ran != std::thread::id(); }));
  EXPECT_EQ(ran, std::this_thread::get_id());
  other.join();
}

TEST_F(EventLoopTest, WhatIsPostedRunsInOrderAndMayPostMore) {
  std::vector<int> log;
  loop_.Post([&] {
    log.push_back(1);
    loop_.Post([&] { log.push_back(3); });
  });
  loop_.Post([&] { log.push_back(2); });
  EXPECT_TRUE(loop_.RunUntil([&] { return log.size() == 3; }));
  EXPECT_THAT(log, ElementsAre(1, 2, 3));
}

TEST_F(EventLoopTest, NothingThatManyThreadsPostIsLost) {
  int count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) loop_.Post([&count] { ++count; });
    });
  }
  EXPECT_TRUE(loop_.RunUntil([&] { return count == 4000; }));
  for (std::thread& thread : threads) thread.join();
}

TEST_F(EventLoopTest, AnEventIsToldOnceUntilThereIsMore) {
  const Pair pair;
  Handler handler;
  loop_.Watch(pair.near.get(), handler, EPOLLIN);
  pair.Write();
  EXPECT_TRUE(loop_.RunUntil([&] { return handler.count == 1; }));
  EXPECT_TRUE(loop_.RunWhatIsThere());
  EXPECT_EQ(handler.count, 1) << "edge-triggered: the byte is still unread";
  pair.Write();
  EXPECT_TRUE(loop_.RunUntil([&] { return handler.count == 2; }));
  loop_.Forget(pair.near.get());
}

TEST_F(EventLoopTest, ThePeersEndIsTold) {
  Pair pair;
  Handler handler;
  loop_.Watch(pair.near.get(), handler);
  pair.far.Close();
  EXPECT_TRUE(loop_.RunUntil([&] { return (handler.seen & EPOLLRDHUP) != 0; }));
  loop_.Forget(pair.near.get());
}

TEST_F(EventLoopTest, NothingIsToldOfWhatIsForgotten) {
  const Pair forgotten;
  const Pair watched;
  Handler handler;
  Handler other;
  loop_.Watch(forgotten.near.get(), handler, EPOLLIN);
  loop_.Watch(watched.near.get(), other, EPOLLIN);
  loop_.Forget(forgotten.near.get());
  forgotten.Write();
  watched.Write();
  EXPECT_TRUE(loop_.RunUntil([&] { return other.count == 1; }));
  EXPECT_EQ(handler.count, 0);
  loop_.Forget(watched.near.get());
}

TEST_F(EventLoopTest, OutputIsFlushedOnceHoweverOftenItAsks) {
  Output output;
  loop_.RequestFlush(output);
  loop_.RequestFlush(output);
  EXPECT_TRUE(loop_.RunWhatIsThere());
  EXPECT_EQ(output.count, 1);
}

TEST_F(EventLoopTest, OutputThatAlwaysAsksAgainGetsOneFlushPerStep) {
  Output output;
  output.more = [&] { loop_.RequestFlush(output); };
  loop_.RequestFlush(output);
  loop_.Step();
  EXPECT_EQ(output.count, 1);
  loop_.Step();
  EXPECT_EQ(output.count, 2);
}

TEST_F(EventLoopTest, AFlushMayDestroyOutputThatWaitsForItsOwn) {
  Output first;
  auto second = std::make_unique<Output>();
  first.more = [&] { second.reset(); };
  loop_.RequestFlush(first);
  loop_.RequestFlush(*second);
  EXPECT_TRUE(loop_.RunWhatIsThere());
  EXPECT_EQ(first.count, 1);
}

TEST_F(EventLoopTest, OutputIsFlushedBeforeTheNextWait) {
  const Pair pair;
  Handler handler;
  Output output;
  handler.more = [&] { loop_.RequestFlush(output); };
  loop_.Watch(pair.near.get(), handler, EPOLLIN);
  pair.Write();
  EXPECT_TRUE(loop_.RunUntil([&] { return handler.count == 1; }));
  EXPECT_EQ(output.count, 0);
  loop_.Step();
  EXPECT_EQ(output.count, 1);
  loop_.Forget(pair.near.get());
}

TEST_F(EventLoopTest, AGlanceFlushesDestroysAndTakesWhatIsThereAndNeverWaits) {
  const Pair pair;
  Handler handler;
  Output output;
  bool gone = false;
  loop_.Watch(pair.near.get(), handler, EPOLLIN);
  loop_.Glance();
  EXPECT_EQ(handler.count, 0);
  pair.Write();
  loop_.RequestFlush(output);
  loop_.Retire(std::make_unique<Remains>(gone));
  loop_.Glance();
  EXPECT_EQ(handler.count, 1);
  EXPECT_EQ(output.count, 1);
  EXPECT_TRUE(gone);
  loop_.Forget(pair.near.get());
}

TEST_F(EventLoopTest, WhatIsRetiredLivesToTheEndOfTheStep) {
  bool gone = false;
  bool gone_at_once = true;
  loop_.Post([&] {
    loop_.Retire(std::make_unique<Remains>(gone));
    gone_at_once = gone;
  });
  EXPECT_TRUE(loop_.RunUntil([&] { return gone; }));
  EXPECT_FALSE(gone_at_once);
}

TEST(EventLoopEnd, WhatIsRetiredGoesWithTheLoop) {
  bool gone = false;
  {
    EventLoop loop;
    loop.Retire(std::make_unique<Remains>(gone));
  }
  EXPECT_TRUE(gone);
}

class Due {
 public:
  explicit Due(EventLoop& loop) : timer(loop.timers(), *this) {}
  bool is = false;

 private:
  void OnDue() { is = true; }

 public:
  TimerOf<Due, &Due::OnDue> timer;
};

TEST_F(EventLoopTest, ATimerEndsTheWaitAndIsNotEarly) {
  Due due(loop_);
  const Instant when = InstantNow() + 5'500'000;
  due.timer.Set(when);
  EXPECT_TRUE(loop_.RunUntil([&] { return due.is; }));
  EXPECT_GE(InstantNow(), when);
  EXPECT_GE(loop_.now(), when);
}

TEST_F(EventLoopTest, StopByAnotherThreadEndsTheWait) {
  std::thread other([&] { loop_.Stop(); });
  EXPECT_TRUE(loop_.RunUntil([&] { return loop_.stopped(); }));
  other.join();
}

TEST_F(EventLoopTest, FibersAreReadyInTheOrderInWhichTheyWereWoken) {
  EXPECT_EQ(loop_.NextReady(), nullptr);
  Fiber first(loop_.ready());
  Fiber second(loop_.ready());
  second.Wake(std::noop_coroutine());
  first.Wake(std::noop_coroutine());
  second.Wake(std::noop_coroutine());
  ASSERT_EQ(loop_.NextReady(), &second);
  second.Leave();
  second.Run();
  ASSERT_EQ(loop_.NextReady(), &first);
  first.Leave();
  EXPECT_EQ(loop_.NextReady(), nullptr);
}

}  // namespace
}  // namespace lanekeeper

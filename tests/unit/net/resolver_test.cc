#include "proxy/net/resolver.h"

#include <gmock/gmock.h>
#include <pthread.h>

#include <condition_variable>
#include <filesystem>
#include <iterator>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "tests/unit/net/loop_testing.h"

namespace lanekeeper {
namespace {

using lanekeeper::testing::Eventually;
using lanekeeper::testing::TestLoop;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using namespace std::chrono_literals;

Resolver::Answer AnswerOf(const std::string& ip, uint16_t port) {
  return {{*SocketAddress::FromIp(ip, port)}, ""};
}

// What the thread shares with the test, for it may outlive it: look-ups by host, which wait at a
// gate if they are told to.
struct NameServer {
  Resolver::Answer LookUp(const std::string& host, uint16_t port) {
    std::unique_lock lock(mutex);
    asked.push_back(host);
    changed.notify_all();
    changed.wait(lock, [&] { return open || host.find("slow") == std::string::npos; });
    return AnswerOf("10.0.0." + std::to_string(asked.size()), port);
  }
  size_t count() {
    const std::lock_guard lock(mutex);
    return asked.size();
  }
  void Open() {
    const std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> asked;
  bool open = false;
};

class ResolverTest : public ::testing::Test {
 protected:
  ~ResolverTest() override { server_->Open(); }

  std::unique_ptr<Resolver> Make(std::chrono::nanoseconds patience = Resolver::kPatience) {
    return std::make_unique<Resolver>(
        loop_,
        [server = server_](const std::string& host, uint16_t port) {
          return server->LookUp(host, port);
        },
        patience);
  }
  // Writes the answer down: the names of its addresses, or the error.
  Resolver::Done Note() {
    return [this](const Resolver::Answer& answer) {
      for (const SocketAddress& address : answer.addresses) answers_.push_back(address.Name());
      if (!answer.error.empty()) answers_.push_back(answer.error);
    };
  }
  bool RunToAnswer(size_t count) {
    return loop_.RunUntil([&] { return answers_.size() == count; });
  }

  TestLoop loop_;
  std::shared_ptr<NameServer> server_ = std::make_shared<NameServer>();
  std::vector<std::string> answers_;
};

TEST_F(ResolverTest, AnswersOnTheLoopsThread) {
  const auto resolver = Make();
  std::thread::id thread;
  resolver->Resolve("host", 80,
                    [&](const Resolver::Answer&) { thread = std::this_thread::get_id(); });
  EXPECT_EQ(thread, std::thread::id()) << "not from Resolve itself";
  EXPECT_TRUE(loop_.RunUntil([&] { return thread != std::thread::id(); }));
  EXPECT_EQ(thread, std::this_thread::get_id());
}

TEST_F(ResolverTest, LooksUpOnOneThreadThatHasAName) {
  std::mutex mutex;
  std::vector<std::pair<std::thread::id, std::string>> threads;
  Resolver resolver(loop_, [&](const std::string&, uint16_t port) {
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    const std::lock_guard lock(mutex);
    threads.emplace_back(std::this_thread::get_id(), name);
    return AnswerOf("10.0.0.1", port);
  });
  resolver.Resolve("first", 80, Note());
  EXPECT_TRUE(RunToAnswer(1));
  resolver.Resolve("second", 80, Note());
  EXPECT_TRUE(RunToAnswer(2));
  ASSERT_EQ(threads.size(), 2u);
  EXPECT_NE(threads[0].first, std::this_thread::get_id());
  EXPECT_EQ(threads[0].second, "lk-resolver");
  EXPECT_EQ(threads[0], threads[1]);
}

TEST_F(ResolverTest, FindsWhatTheSystemKnows) {
  Resolver resolver(loop_);
  resolver.Resolve("localhost", 4711, Note());
  EXPECT_TRUE(loop_.RunUntil([&] { return !answers_.empty(); }));
  EXPECT_THAT(answers_, Contains("ipv4:127.0.0.1:4711"));
}

TEST_F(ResolverTest, WhatTheLookUpSaysIsPassedOn) {
  Resolver resolver(loop_, [](const std::string&, uint16_t) {
    return Resolver::Answer{{}, "Name or service not known"};
  });
  resolver.Resolve("absent", 80, Note());
  EXPECT_TRUE(RunToAnswer(1));
  EXPECT_THAT(answers_, ElementsAre("Name or service not known"));
}

TEST_F(ResolverTest, WithoutAnAnswerInTimeSaysSoAndAnswersLaterQuestions) {
  const auto resolver = Make(20ms);
  resolver->Resolve("slow", 80, Note());
  EXPECT_TRUE(RunToAnswer(1));
  EXPECT_THAT(answers_, ElementsAre("the name server does not answer"));
  resolver->Resolve("slow", 80, Note());
  EXPECT_TRUE(RunToAnswer(2));
  EXPECT_EQ(answers_.back(), "the name server does not answer");
  server_->Open();
  // Each has 20 ms, which may be too few on a busy machine.
  EXPECT_TRUE(Eventually([&] {
    resolver->Resolve("other", 80, Note());
    EXPECT_TRUE(RunToAnswer(answers_.size() + 1));
    return answers_.back().starts_with("ipv4:10.0.0.");
  }));
}

TEST_F(ResolverTest, AnAnswerThatComesTooLateServesTheSameQuestionAskedAgain) {
  const auto resolver = Make(20ms);
  resolver->Resolve("slow", 80, Note());
  EXPECT_TRUE(RunToAnswer(1));
  server_->Open();
  // Nothing but the answer can end this step.
  EXPECT_TRUE(loop_.RunUntil([stepped = false]() mutable { return std::exchange(stepped, true); }));
  resolver->Resolve("slow", 80, Note());
  EXPECT_TRUE(RunToAnswer(2));
  EXPECT_EQ(answers_.back(), "ipv4:10.0.0.1:80");
  EXPECT_EQ(server_->count(), 1u) << "it was not looked up again";
}

TEST_F(ResolverTest, ALookUpUnderWayAnswersTheSameQuestionAskedAgain) {
  const auto resolver = Make();
  resolver->Resolve("slow", 80, [](const Resolver::Answer&) { FAIL() << "has been replaced"; });
  EXPECT_TRUE(Eventually([&] { return server_->count() == 1; }));
  resolver->Resolve("slow", 80, Note());
  server_->Open();
  EXPECT_TRUE(RunToAnswer(1));
  EXPECT_EQ(answers_.size(), 1u);
}

TEST_F(ResolverTest, ANewQuestionReplacesTheOneUnderWay) {
  const auto resolver = Make();
  resolver->Resolve("slow", 80, [](const Resolver::Answer&) { FAIL() << "has been replaced"; });
  EXPECT_TRUE(Eventually([&] { return server_->count() == 1; }));
  resolver->Resolve("other", 81, Note());
  server_->Open();
  EXPECT_TRUE(RunToAnswer(1));
  EXPECT_THAT(answers_, ElementsAre("ipv4:10.0.0.2:81"));
}

TEST_F(ResolverTest, EndsAtOnceWhileALookUpHangs) {
  auto resolver = Make();
  resolver->Resolve("slow", 80, Note());
  EXPECT_TRUE(Eventually([&] { return server_->count() == 1; }));
  resolver.reset();  // would hang, too
  const std::weak_ptr<NameServer> used = server_;
  server_->Open();
  server_ = std::make_shared<NameServer>();
  EXPECT_TRUE(Eventually([&] { return used.expired(); })) << "the thread ends with its look-up";
  EXPECT_TRUE(loop_.RunWhatIsThere());
  EXPECT_THAT(answers_, IsEmpty());
}

TEST_F(ResolverTest, NeverAnswersAfterItsEnd) {
  for (int i = 0; i < 200; ++i) {
    auto resolver = Make();
    resolver->Resolve("host", 80, Note());
    for (int pause = i % 20; pause > 0; --pause) std::this_thread::yield();
    resolver.reset();
    EXPECT_TRUE(loop_.RunWhatIsThere());
  }
  EXPECT_THAT(answers_, IsEmpty());
}

TEST_F(ResolverTest, MayBeDestroyedByItsAnswer) {
  auto resolver = Make();
  bool done = false;
  resolver->Resolve("host", 80, [&](const Resolver::Answer&) {
    resolver.reset();
    done = true;
  });
  EXPECT_TRUE(loop_.RunUntil([&] { return done; }));
}

TEST_F(ResolverTest, MayBeAskedByItsAnswer) {
  const auto resolver = Make();
  resolver->Resolve("host", 80,
                    [&](const Resolver::Answer&) { resolver->Resolve("other", 81, Note()); });
  EXPECT_TRUE(RunToAnswer(1));
  EXPECT_THAT(answers_, ElementsAre("ipv4:10.0.0.2:81"));
}

TEST_F(ResolverTest, WithoutAQuestionThereIsNoThread) {
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                         std::filesystem::directory_iterator());
  };
  const auto before = threads();
  const auto resolver = Make();
  EXPECT_EQ(threads(), before);
}

}  // namespace
}  // namespace lanekeeper

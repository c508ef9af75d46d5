// SetUpLog in processes of their own, with a real pipe as stderr.
#include "proxy/log/log_setup.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "log_testing.h"
#include "proxy/log/log_event.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;

// What `child` returns, run in a process with the pipe as its stderr.
class Child {
 public:
  Child(const Pipe& pipe, const std::function<int()>& child) : pid_(fork()) {
    if (pid_ != 0) return;
    alarm(30);  // ends a child that hangs
    dup2(pipe.writer(), STDERR_FILENO);
    _exit(child());
  }
  int Await() const {
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  const pid_t pid_;
};

TEST(SetUpLog, WritesEverythingBeforeTheSessionEnds) {
  Pipe pipe;
  const Child child(pipe, [] {
    const LogSession session = SetUpLog({.format = LogFormat::kJson});
    for (int i = 0; i < 3000; ++i) LogEvent(LogLevel::kInfo, "event", {{"id", i}});
    spdlog::debug("hidden by the level");
    spdlog::info("last");
    return 0;
  });
  const auto lines = SplitLines(pipe.ReadUntil("\"last\"}\n"));
  EXPECT_EQ(child.Await(), 0);
  ASSERT_EQ(lines.size(), 3001u);
  for (int i = 0; i < 3000; ++i) {
    const auto line = nlohmann::json::parse(lines[i]);
    ASSERT_EQ(line["id"], i);
    ASSERT_EQ(line["level"], "info");
  }
}

TEST(SetUpLog, AChangeTakesTheFormAtOnceAndLeavesALevelThatWasSetByHand) {
  Pipe pipe;
  const Child child(pipe, [] {
    const LogSession session = SetUpLog({});
    spdlog::set_level(spdlog::level::warn);
    const LogConfig json{.format = LogFormat::kJson};
    ChangeLog({}, json);
    spdlog::info("hidden");
    spdlog::warn("first");
    ChangeLog(json, {.level = LogLevel::kDebug, .format = LogFormat::kJson});
    spdlog::debug("last");
    return 0;
  });
  const auto lines = SplitLines(pipe.ReadUntil("\"last\"}\n"));
  EXPECT_EQ(child.Await(), 0);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(nlohmann::json::parse(lines[0])["message"], "first");
  EXPECT_EQ(nlohmann::json::parse(lines[1])["level"], "debug");
}

TEST(SetUpLog, LinesAfterTheSessionAreWrittenAtOnce) {
  Pipe pipe;
  const Child child(pipe, [] {
    { const LogSession session = SetUpLog({}); }
    spdlog::info("after the end");
    return 0;
  });
  EXPECT_EQ(child.Await(), 0);
  EXPECT_EQ(pipe.Read().substr(kTimestampBytes), " info after the end\n");
}

TEST(SetUpLog, NeitherLoggingNorTheEndHangsWhenNobodyReads) {
  Pipe pipe;
  pipe.Fill();
  const Child child(pipe, [] {
    {
      const LogSession session = SetUpLog({});
      for (int i = 0; i < 20'000; ++i) spdlog::info("line {}", i);
      if (ReadLogLosses().queue_full < 20'000 - kLogQueueLines - 64) return 1;
      if (FlushLog(10ms)) return 2;
    }
    spdlog::info("after the end");
    return ReadLogLosses().queue_full == 20'001 ? 0 : 3;
  });
  EXPECT_EQ(child.Await(), 0);
}

TEST(SetUpLog, SurvivesTheReader) {
  Pipe pipe;
  pipe.CloseReader();
  const Child child(pipe, [] {
    const LogSession session = SetUpLog({});
    spdlog::info("to nobody");
    return FlushLog(20s) && ReadLogLosses().queue_full == 1 ? 0 : 1;
  });
  EXPECT_EQ(child.Await(), 0);
}

TEST(FlushLog, WritesEverythingBeforeAnExitWithoutUnwinding) {
  Pipe pipe;
  const Child child(pipe, []() -> int {
    const LogSession session = SetUpLog({});
    spdlog::warn("ending at once");
    std::_Exit(FlushLog(20s) ? 0 : 1);
  });
  EXPECT_EQ(child.Await(), 0);
  EXPECT_EQ(pipe.Read().substr(kTimestampBytes), " warn ending at once\n");
}

TEST(ReadLogLosses, CountsBothKinds) {
  const LogLosses before = ReadLogLosses();  // of a process without SetUpLog
  EXPECT_EQ(before.queue_full, 0u);
  EXPECT_TRUE(FlushLog(0ms));
  RateLimit limit(1, 1);
  const auto now = RateLimit::Clock::now();
  for (int i = 0; i < 3; ++i) static_cast<void>(limit.Pass(now));
  EXPECT_EQ(ReadLogLosses().rate_limited - before.rate_limited, 2u);
}

}  // namespace
}  // namespace lanekeeper

#include "proxy/log/log_queue.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spdlog/pattern_formatter.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "log_testing.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;

// Never reached.
constexpr std::chrono::milliseconds kLong = 20s;

std::unique_ptr<spdlog::formatter> MessagesOnly() {
  return std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc, "\n");
}

std::shared_ptr<LogQueue> StartQueue(const Pipe& pipe, size_t lines_max = kLogQueueLines) {
  return LogQueue::Start(pipe.writer(), MessagesOnly(), lines_max);
}

// How many there are in this process.
int LogThreads() {
  int named = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    named += name == "lk-log" ? 1 : 0;
  }
  return named;
}

void Log(LogQueue& queue, const std::string& text) {
  queue.log(spdlog::details::log_msg("test", spdlog::level::info, text));
}

TEST(LogQueue, WritesInOrderFromItsOwnThread) {
  Pipe pipe;
  const auto queue = StartQueue(pipe);
  std::string want;
  for (int i = 0; i < 500; ++i) {
    Log(*queue, fmt::format("line {}", i));
    want += fmt::format("line {}\n", i);
  }
  EXPECT_EQ(pipe.ReadUntil("line 499\n"), want);
  EXPECT_EQ(queue->lost(), 0u);
  queue->Stop(kLong);
}

TEST(LogQueue, ItsThreadHasAName) {
  Pipe pipe;
  const auto queue = StartQueue(pipe);
  Log(*queue, "running");
  pipe.ReadUntil("running\n");
  EXPECT_EQ(LogThreads(), 1);
  queue->Stop(kLong);
}

TEST(LogQueue, StopWritesAllThatIsQueued) {
  Pipe pipe;
  pipe.Fill();
  const auto queue = StartQueue(pipe);
  for (int i = 0; i < 5000; ++i) Log(*queue, fmt::format("line {}", i));
  std::string got;
  std::thread reader([&] { got = pipe.ReadUntil("line 4999\n"); });
  queue->Stop(kLong);
  reader.join();
  EXPECT_EQ(SplitLines(got).size(), 5000u);
  EXPECT_EQ(queue->lost(), 0u);
}

TEST(LogQueue, WhenItIsFullTheOldestLinesAreLostAndCounted) {
  Pipe pipe;
  pipe.Fill();
  const auto queue = StartQueue(pipe, 10);
  for (int i = 0; i < 1000; ++i) Log(*queue, fmt::format("line {}", i));
  // The thread may have taken some lines before the queue was full.
  EXPECT_GT(queue->lost(), 1000u - 10 - 64);
  const auto lines = SplitLines(pipe.ReadUntil("line 999\n"));
  EXPECT_EQ(lines.size() + queue->lost(), 1000u);
  for (size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(lines.at(lines.size() - 1 - i), fmt::format("line {}", 999 - i));
  }
  queue->Stop(kLong);
}

TEST(LogQueue, HoldsABoundedNumberOfBytes) {
  Pipe pipe;
  pipe.Fill();
  const auto queue = StartQueue(pipe);
  // Cut to kLogMessageBytes, twice as much as fits.
  constexpr size_t kLines = 2 * kLogQueueBytes / kLogMessageBytes;
  const std::string text(2 * kLogMessageBytes, 'x');
  for (size_t i = 0; i < kLines; ++i) Log(*queue, text);
  EXPECT_GE(queue->lost(), kLines / 2 - 64);
  EXPECT_LE(queue->lost(), kLines / 2);
  queue->Stop(0ms);
}

TEST(LogQueue, FlushWaitsUntilAllIsWritten) {
  Pipe pipe;
  const auto queue = StartQueue(pipe);
  for (int i = 0; i < 100; ++i) Log(*queue, fmt::format("line {}", i));
  EXPECT_TRUE(queue->Flush(kLong));
  EXPECT_EQ(SplitLines(pipe.Read()).size(), 100u);
  EXPECT_TRUE(queue->Flush(kLong));
  queue->Stop(kLong);
  EXPECT_TRUE(queue->Flush(kLong));
}

TEST(LogQueue, FlushGivesUpWhenNobodyReads) {
  Pipe pipe;
  pipe.Fill();
  const auto queue = StartQueue(pipe);
  Log(*queue, "line");
  EXPECT_FALSE(queue->Flush(10ms));
  EXPECT_EQ(pipe.ReadUntil("line\n"), "line\n");
  EXPECT_TRUE(queue->Flush(kLong));
  queue->Stop(kLong);
}

TEST(LogQueue, AnotherFormIsTakenWithoutWaitingForAReader) {
  Pipe pipe;
  pipe.Fill();
  const auto queue = StartQueue(pipe);
  Log(*queue, "one");
  EXPECT_FALSE(queue->Flush(10ms));  // its thread waits for the pipe
  queue->set_pattern("<%v>");
  Log(*queue, "two");
  EXPECT_EQ(pipe.ReadUntil("<two>\n"), "one\n<two>\n");
  queue->Stop(kLong);
}

TEST(LogQueue, StopGivesUpWhenNobodyReads) {
  Pipe pipe;
  pipe.Fill();
  const auto queue = StartQueue(pipe);
  for (int i = 0; i < 100; ++i) Log(*queue, "line");
  queue->Stop(10ms);
  EXPECT_EQ(queue->lost(), 100u);
}

// An eventfd polls as writable while its counter can grow by 1; a write that would make it grow too
// far blocks. It takes pieces of 8 bytes.
TEST(LogQueue, StopReturnsEvenWhenAWriteDoesNot) {
  const int counter = eventfd(0, 0);
  const uint64_t nearly_full = UINT64_MAX - 2;
  ASSERT_EQ(write(counter, &nearly_full, sizeof nearly_full), 8);
  const auto queue = LogQueue::Start(counter, MessagesOnly());
  Log(*queue, "7 bytes");
  queue->Stop(10ms);
  EXPECT_EQ(LogThreads(), 1);  // is still in its write
  Log(*queue, "too");          // does not block
  uint64_t value = 0;
  ASSERT_EQ(read(counter, &value, sizeof value), 8);
  EXPECT_EQ(value, nearly_full);
  EXPECT_TRUE(queue->Flush(kLong));
  EXPECT_EQ(queue->lost(), 1u);  // of 4 bytes
  close(counter);
}

TEST(LogQueue, AfterStopLinesAreWrittenAtOnceOrLost) {
  Pipe pipe;
  const auto queue = StartQueue(pipe);
  queue->Stop(0ms);
  Log(*queue, "line");
  EXPECT_EQ(pipe.Read(), "line\n");
  pipe.Fill();
  Log(*queue, "lost");
  EXPECT_EQ(queue->lost(), 1u);
}

TEST(LogQueue, CountsLinesThatAReaderWhoHasGoneDoesNotTake) {
  std::signal(SIGPIPE, SIG_IGN);  // as SetUpLog does
  Pipe pipe;
  const auto queue = StartQueue(pipe);
  pipe.CloseReader();
  for (int i = 0; i < 3; ++i) Log(*queue, "line");
  EXPECT_TRUE(queue->Flush(kLong));
  EXPECT_EQ(queue->lost(), 3u);
  queue->Stop(kLong);
}

TEST(LogQueue, TakesLinesOfManyThreadsAndLosesNoneUncounted) {
  constexpr int kThreads = 4;
  constexpr int kLinesEach = 5000;
  Pipe pipe;
  const auto queue = StartQueue(pipe, 100);
  std::string got;
  std::thread reader([&] { got = pipe.ReadUntil("end\n"); });
  std::vector<std::thread> writers;
  for (int t = 0; t < kThreads; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; i < kLinesEach; ++i) Log(*queue, fmt::format("{} {}", t, i));
    });
  }
  for (std::thread& writer : writers) writer.join();
  Log(*queue, "end");
  reader.join();
  queue->Stop(kLong);
  const auto lines = SplitLines(got);
  EXPECT_EQ(lines.size() + queue->lost(), size_t{kThreads * kLinesEach + 1});
  std::vector<int> last(kThreads, -1);
  for (size_t i = 0; i + 1 < lines.size(); ++i) {
    const int thread = std::stoi(lines[i]);
    const int number = std::stoi(lines[i].substr(lines[i].find(' ')));
    EXPECT_GT(number, last.at(thread));
    last.at(thread) = number;
  }
}

}  // namespace
}  // namespace lanekeeper

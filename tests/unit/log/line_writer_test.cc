#include <fcntl.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <thread>

#include "log_testing.h"
#include "proxy/log/log_queue.h"

namespace lanekeeper {
namespace {

TEST(LineWriter, WritesLongTextThatIsRead) {
  Pipe pipe;
  LineWriter writer(pipe.writer());
  const std::string text = std::string(1'000'000, 'x') + "\n";
  std::string got;
  std::thread reader([&] { got = pipe.ReadUntil("\n"); });
  EXPECT_TRUE(writer.Write(text));
  reader.join();
  EXPECT_EQ(got, text);
}

TEST(LineWriter, WaitsForAReader) {
  Pipe pipe;
  pipe.Fill();
  LineWriter writer(pipe.writer());
  std::string got;
  std::thread reader([&] { got = pipe.ReadUntil("\n"); });
  EXPECT_TRUE(writer.Write("line\n"));
  reader.join();
  EXPECT_EQ(got, "line\n");
}

TEST(LineWriter, GivesUpWhenItIsToldWhileItWaits) {
  Pipe pipe;
  pipe.Fill();
  LineWriter writer(pipe.writer());
  std::thread impatient([&] { writer.GiveUpAt(LineWriter::Clock::now()); });
  EXPECT_FALSE(writer.Write("line\n"));
  impatient.join();
  EXPECT_FALSE(writer.Write("another\n"));
}

TEST(LineWriter, StillWritesWhatIsTakenAtOnceAfterGivingUp) {
  Pipe pipe;
  LineWriter writer(pipe.writer());
  writer.GiveUpAt(LineWriter::Clock::now());
  EXPECT_TRUE(writer.Write("line\n"));
  EXPECT_EQ(pipe.Read(), "line\n");
}

TEST(LineWriter, BeginsANewLineAfterOneThatWasCut) {
  Pipe pipe;
  pipe.Fill(kWriteBytes);
  LineWriter writer(pipe.writer());
  writer.GiveUpAt(LineWriter::Clock::now());
  EXPECT_FALSE(writer.Write(std::string(2 * kWriteBytes, 'x') + "\n"));
  EXPECT_FALSE(writer.Write("lost\n"));
  EXPECT_NE(pipe.Read(), "");
  EXPECT_TRUE(writer.Write("line\n"));
  EXPECT_EQ(pipe.Read(), "\nline\n");
  EXPECT_TRUE(writer.Write("next\n"));
  EXPECT_EQ(pipe.Read(), "next\n");
}

TEST(LineWriter, WorksWithADescriptorThatDoesNotBlock) {
  Pipe pipe;
  pipe.Fill();
  fcntl(pipe.writer(), F_SETFL, O_NONBLOCK);
  LineWriter writer(pipe.writer());
  std::string got;
  const std::string text = std::string(200'000, 'x') + "\n";
  std::thread reader([&] { got = pipe.ReadUntil("\n"); });
  EXPECT_TRUE(writer.Write(text));
  reader.join();
  EXPECT_EQ(got, text);
}

TEST(LineWriter, SurvivesAReaderThatHasGone) {
  std::signal(SIGPIPE, SIG_IGN);  // as SetUpLog does
  Pipe pipe;
  pipe.CloseReader();
  LineWriter writer(pipe.writer());
  EXPECT_FALSE(writer.Write("line\n"));
}

TEST(LineWriter, SurvivesADescriptorThatIsClosed) {
  Pipe pipe;
  const int closed = dup(pipe.writer());
  close(closed);
  EXPECT_FALSE(LineWriter(closed).Write("line\n"));
}

}  // namespace
}  // namespace lanekeeper

#include "proxy/cli/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>

#include "tests/unit/cli/captured_output.h"

namespace lanekeeper {
namespace {

// Sets a variable of the environment, or removes it, for as long as this lives.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    Set(value);
  }
  ~Environment() { Set(before_ ? before_->c_str() : nullptr); }

 private:
  void Set(const char* value) { value ? setenv(name_, value, 1) : unsetenv(name_); }

  const char* name_;
  std::optional<std::string> before_;
};

// A terminal of 100 columns and 30 lines.
class Terminal {
 public:
  Terminal() {
    winsize size{.ws_row = 30, .ws_col = 100};
    int slave = -1;
    if (openpty(&master_, &slave, nullptr, nullptr, &size) == 0) file_ = fdopen(slave, "w");
  }
  ~Terminal() {
    std::fclose(file_);
    close(master_);
  }
  FILE* file() { return file_; }

 private:
  int master_ = -1;
  FILE* file_ = nullptr;
};

TEST(Screen, IsEndlessAndPlainWithoutATerminal) {
  CapturedOutput captured;
  const Screen screen = captured.output.LookAtScreen();
  EXPECT_FALSE(screen.is_terminal);
  EXPECT_FALSE(screen.colours);
  EXPECT_EQ(screen.width, std::numeric_limits<size_t>::max());
}

TEST(Screen, IsAsLargeAsTheTerminal) {
  const Environment term("TERM", "xterm");
  const Environment no_color("NO_COLOR", nullptr);
  Terminal terminal;
  const Screen screen = Output(terminal.file(), stderr).LookAtScreen();
  EXPECT_TRUE(screen.is_terminal);
  EXPECT_TRUE(screen.colours);
  EXPECT_EQ(screen.width, 100);
  EXPECT_EQ(screen.height, 30);
}

TEST(Screen, HasNoColoursWhereTheyAreNotWanted) {
  const Environment term("TERM", "xterm");
  const Environment no_color("NO_COLOR", "1");
  Terminal terminal;
  const Screen screen = Output(terminal.file(), stderr).LookAtScreen();
  EXPECT_TRUE(screen.is_terminal);
  EXPECT_FALSE(screen.colours);
}

TEST(Screen, IsNoneOnATerminalThatKnowsNoEscapeSequences) {
  const Environment term("TERM", "dumb");
  Terminal terminal;
  EXPECT_FALSE(Output(terminal.file(), stderr).LookAtScreen().is_terminal);
}

TEST(Output, FailsInOneLineOnTheErrorOutput) {
  CapturedOutput captured;
  EXPECT_EQ(captured.output.Fail("no stream 17 is open"), 1);
  EXPECT_EQ(captured.out.text(), "");
  EXPECT_EQ(captured.err.text(), "lanekeeper: no stream 17 is open\n");
}

TEST(Output, EndsQuietlyWhenItsReaderHasGone) {
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  FILE* broken = fdopen(ends[1], "w");
  Captured err;
  Output output(broken, err.file());
  output.Write("text");
  EXPECT_FALSE(output.Flush());
  EXPECT_FALSE(output.Write("more"));
  EXPECT_EQ(output.Finish(0), 0);
  EXPECT_EQ(err.text(), "");
  std::fclose(broken);
}

TEST(Output, SaysThatTheDiskIsFull) {
  FILE* full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  Captured err;
  Output output(full, err.file());
  output.Write("text");
  EXPECT_EQ(output.Finish(0), 1);
  EXPECT_EQ(err.text(), "lanekeeper: cannot write: No space left on device\n");
  std::fclose(full);
}

}  // namespace
}  // namespace lanekeeper

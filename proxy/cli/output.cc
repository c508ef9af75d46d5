#include "proxy/cli/output.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace lanekeeper {
namespace {

bool IsSet(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

// A terminal that understands escape sequences.
bool IsTerminal(int descriptor) {
  const char* term = std::getenv("TERM");
  return isatty(descriptor) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace

Output::Output(FILE* out, FILE* err) : out_(out), err_(err) {}

Screen Output::LookAtScreen() const {
  Screen screen;
  if (!IsTerminal(descriptor())) return screen;
  screen.is_terminal = true;
  screen.colours = !IsSet("NO_COLOR");
  // Terminals that do not know their size say 0.
  winsize size{};
  screen.width = 80;
  screen.height = 24;
  if (ioctl(descriptor(), TIOCGWINSZ, &size) == 0) {
    if (size.ws_col > 0) screen.width = size.ws_col;
    if (size.ws_row > 0) screen.height = size.ws_row;
  }
  return screen;
}

int Output::descriptor() const { return fileno(out_); }

bool Output::Note(bool good) {
  if (!good && error_ == 0) error_ = errno == 0 ? EIO : errno;
  return error_ == 0;
}

bool Output::Write(std::string_view text) {
  if (error_ != 0) return false;
  return Note(std::fwrite(text.data(), 1, text.size(), out_) == text.size());
}

bool Output::Flush() {
  if (error_ != 0) return false;
  return Note(std::fflush(out_) == 0);
}

int Output::Fail(std::string_view why) {
  // In the order in which they were said.
  std::fflush(out_);
  fmt::print(err_, "lanekeeper: {}\n", why);
  std::fflush(err_);
  return 1;
}

int Output::Finish(int code) {
  Flush();
  if (error_ == 0 || error_ == EPIPE) return code;
  return Fail(fmt::format("cannot write: {}", std::strerror(error_)));
}

}  // namespace lanekeeper

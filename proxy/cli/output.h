// Where a command writes, and what kind of screen that is. Borrows both files; used by the
// command's thread alone. A reader that has gone (`| head`) ends a command quietly.
#pragma once

#include <cstddef>
#include <cstdio>
#include <limits>
#include <string_view>

namespace lanekeeper {

struct Screen {
  bool is_terminal = false;
  bool colours = false;
  size_t width = std::numeric_limits<size_t>::max();
  size_t height = std::numeric_limits<size_t>::max();
};

class Output {
 public:
  // Looks at the terminal behind `out`, NO_COLOR and TERM.
  Output(FILE* out, FILE* err);

  // As it is now: terminals change their size.
  Screen LookAtScreen() const;

  // Below 0 where what is written goes to memory.
  int descriptor() const;

  // False once nothing can be written any more.
  bool Write(std::string_view text);
  bool Flush();

  // One line on the error output, with the program's name; returns exit code 1.
  int Fail(std::string_view why);

  // The exit code of a command that has done its work: `code`, or 1 with the reason on the error
  // output when what it wrote could not be written, for any reason but a reader that has gone.
  int Finish(int code);

 private:
  bool Note(bool good);

  FILE* const out_;
  FILE* const err_;
  int error_ = 0;  // errno of the first write that failed
};

}  // namespace lanekeeper

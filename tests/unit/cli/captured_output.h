// An Output whose two files are in memory. One thread.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include "proxy/cli/output.h"

namespace lanekeeper {

// What was written to a FILE.
class Captured {
 public:
  Captured() : file_(open_memstream(&text_, &size_)) {}
  ~Captured() {
    std::fclose(file_);
    std::free(text_);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;

  FILE* file() { return file_; }
  std::string text() {
    std::fflush(file_);
    return std::string(text_, size_);
  }

 private:
  char* text_ = nullptr;
  size_t size_ = 0;
  FILE* file_;
};

struct CapturedOutput {
  Captured out;
  Captured err;
  Output output{out.file(), err.file()};
};

}  // namespace lanekeeper

// Tells when whoever reads a pipe has gone (`| head`), also while nothing is written to it. Owns
// the thread that looks, which calls back once at most and has ended when the destructor returns.
#pragma once

#include <functional>
#include <thread>

namespace lanekeeper {

class ReaderWatch {
 public:
  // A descriptor that has no reader, a file's for one, never loses it.
  ReaderWatch(int descriptor, std::function<void()> gone);
  ~ReaderWatch();
  ReaderWatch(const ReaderWatch&) = delete;
  ReaderWatch& operator=(const ReaderWatch&) = delete;

 private:
  void Look(int descriptor, const std::function<void()>& gone) const;

  int ending_[2];  // a pipe: closing the second end ends the thread
  std::thread thread_;
};

}  // namespace lanekeeper

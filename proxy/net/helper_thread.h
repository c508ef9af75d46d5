// Does for a loop what takes long and waits for no peer, such as reading certificates: one piece of
// work after the other, on a thread of its own that begins with the first one. Always the same
// thread, so that what the work takes from malloc stays in one arena. Begin and Run are for
// the loop's thread, or before it runs; the work comes back with EventLoop::Post. Its end waits for
// the piece that is under way and drops the others.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace lanekeeper {

class HelperThread {
 public:
  HelperThread() = default;
  HelperThread(const HelperThread&) = delete;
  HelperThread& operator=(const HelperThread&) = delete;
  ~HelperThread();

  // Whoever is going to call Run later may have the thread now.
  void Begin();
  // Whoever calls keeps the number of its pieces that wait small.
  void Run(std::function<void()> work);

 private:
  void Work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace lanekeeper

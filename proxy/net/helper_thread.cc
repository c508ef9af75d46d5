#include "proxy/net/helper_thread.h"

#include <utility>

#include "proxy/base/thread_name.h"

namespace lanekeeper {

HelperThread::~HelperThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void HelperThread::Begin() {
  if (!thread_.joinable()) thread_ = std::thread([this] { Work(); });
}

void HelperThread::Run(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(work));
  }
  changed_.notify_one();
  Begin();
}

void HelperThread::Work() {
  SetThreadName("lk-helper");
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const std::function<void()> work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

}  // namespace lanekeeper

#include "proxy/rpc/kernel_executor.h"

#include <pthread.h>
#include <semaphore.h>

#include <algorithm>
#include <cerrno>

#include "proxy/base/thread_name.h"

namespace lanekeeper {
namespace {

// A coroutine keeps its state elsewhere: the stack holds the loop's turn and little more. Only what
// is touched is taken from memory.
constexpr size_t kStackBytes = 256 * 1024;
// Idle threads beyond these end.
constexpr size_t kIdleMax = 64;

}  // namespace

// One OS thread and the semaphore that hands it the baton.
class FiberThread {
 public:
  explicit FiberThread(KernelExecutor& executor) : executor_(executor) {
    sem_init(&baton_, 0, 0);
  }
  FiberThread(const FiberThread&) = delete;
  FiberThread& operator=(const FiberThread&) = delete;
  ~FiberThread() {
    if (started_) pthread_join(thread_, nullptr);
    sem_destroy(&baton_);
  }

  // False if the system has no thread left.
  bool Start() {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kStackBytes);
    started_ = pthread_create(&thread_, &attributes, &FiberThread::Main, this) == 0;
    pthread_attr_destroy(&attributes);
    return started_;
  }
  void Give() { sem_post(&baton_); }
  void Await() {
    while (sem_wait(&baton_) != 0 && errno == EINTR) {
    }
  }

  Fiber* fiber = nullptr;
  bool quits = false;

 private:
  static void* Main(void* argument) {
    auto& self = *static_cast<FiberThread*>(argument);
    SetThreadName("lk-rpc");
    for (;;) {
      self.Await();
      if (self.quits) return nullptr;
      self.executor_.DriveOn(self);
    }
  }

  KernelExecutor& executor_;
  sem_t baton_{};
  pthread_t thread_{};
  bool started_ = false;
};

KernelExecutor::KernelExecutor(EventLoop& loop)
    : loop_(loop), main_(std::make_unique<FiberThread>(*this)) {}

KernelExecutor::~KernelExecutor() {
  for (auto& thread : threads_) {
    thread->quits = true;
    thread->Give();
  }
}

void KernelExecutor::Drive() {
  while (!DriveOn(*main_)) main_->Await();
}

bool KernelExecutor::DriveOn(FiberThread& self) {
  holder_ = &self;
  while (!loop_.stopped()) {
    Fiber* fiber = loop_.NextReady();
    if (fiber == nullptr) {
      loop_.Step();
      if (!leaving_.empty()) JoinLeaving();
      continue;
    }
    if (fiber->thread == nullptr) Assign(*fiber, self);
    if (fiber->thread != nullptr && fiber->thread != &self) {
      holder_ = fiber->thread;
      fiber->thread->Give();
      return false;
    }
    fiber->Leave();
    fiber->Run();
  }
  // The worker's own thread has the last word.
  if (&self == main_.get()) return true;
  holder_ = main_.get();
  main_->Give();
  return false;
}

// Without a thread the fiber runs on this one, to say so.
void KernelExecutor::Assign(Fiber& fiber, FiberThread& self) {
  FiberThread* thread = nullptr;
  if (const auto own = std::find(idle_.rbegin(), idle_.rend(), &self); own != idle_.rend()) {
    thread = &self;
    idle_.erase(std::next(own).base());
  } else if (!idle_.empty()) {
    thread = idle_.back();
    idle_.pop_back();
  } else {
    auto fresh = std::make_unique<FiberThread>(*this);
    if (!fresh->Start()) return;
    thread = fresh.get();
    threads_.push_back(std::move(fresh));
  }
  thread->fiber = &fiber;
  fiber.thread = thread;
  CountIdle();
}

void KernelExecutor::Release(Fiber& fiber) {
  FiberThread* thread = fiber.thread;
  if (thread == nullptr) return;
  fiber.thread = nullptr;
  thread->fiber = nullptr;
  idle_.push_back(thread);
  if (idle_.size() > kIdleMax) DismissIdle(*holder_);
  CountIdle();
}

// The one that has been idle for longest, but not the one that has the baton.
void KernelExecutor::DismissIdle(const FiberThread& self) {
  FiberThread* thread = idle_.front() == &self ? idle_[1] : idle_.front();
  idle_.erase(std::find(idle_.begin(), idle_.end(), thread));
  const auto owned = std::find_if(threads_.begin(), threads_.end(),
                                  [&](const auto& one) { return one.get() == thread; });
  leaving_.push_back(std::move(*owned));
  threads_.erase(owned);
  thread->quits = true;
  thread->Give();
}

void KernelExecutor::JoinLeaving() { leaving_.clear(); }

void KernelExecutor::CountIdle() {
  idle_count_.store(static_cast<int64_t>(idle_.size()), std::memory_order_relaxed);
}

}  // namespace lanekeeper

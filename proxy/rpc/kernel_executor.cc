#include "proxy/rpc/kernel_executor.h"

#include <pthread.h>
#include <semaphore.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace lanekeeper {
namespace {

// A coroutine keeps its state elsewhere: the stack holds the loop's turn and little more. Only what
// is touched is taken from memory.
constexpr size_t kStackBytes = 256 * 1024;
// Idle threads beyond these end at once, others after a while.
constexpr size_t kIdleMax = 1024;
constexpr Instant kBeforeEnd = 10'000'000'000;
// How long a thread has been without an RPC before it is called idle.
constexpr Instant kBeforeIdleName = 100'000'000;
constexpr Instant kTidyInterval = 100'000'000;
// So many fibers take long enough for the sockets to be looked at before all of them have run.
constexpr int kWorthAGlance = 4;

}  // namespace

// One OS thread and the semaphore that hands it the baton.
class FiberThread {
 public:
  // Shared between processes, though it is not: since Linux 6.16 all waits on what is private to a
  // process of many threads stand in a few lists, and each wake searches one: with 10,000 threads
  // that wait, four times the CPU of an RPC.
  explicit FiberThread(KernelExecutor& executor) : executor_(executor) {
    constexpr int kShared = 1;
    sem_init(&baton_, kShared, 0);
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
  // A name costs a system call: on a busy proxy the next RPC has the same. Fifteen bytes of it
  // show.
  void Call(std::string_view name) {
    name = name.substr(0, kNameBytes);
    if (name == name_) return;
    name_ = name;
    pthread_setname_np(thread_, name_.c_str());
  }
  void Give() { sem_post(&baton_); }
  void Await() {
    while (sem_wait(&baton_) != 0 && errno == EINTR) {
    }
  }

  Fiber* fiber = nullptr;
  bool quits = false;
  Instant idle_since = 0;

 private:
  static constexpr size_t kNameBytes = 15;

  static void* Main(void* argument) {
    auto& self = *static_cast<FiberThread*>(argument);
    for (;;) {
      self.Await();
      if (self.quits) return nullptr;
      self.executor_.DriveOn(self);
    }
  }

  KernelExecutor& executor_;
  sem_t baton_{};
  pthread_t thread_{};
  std::string name_;
  bool started_ = false;
};

KernelExecutor::KernelExecutor(EventLoop& loop)
    : loop_(loop), main_(std::make_unique<FiberThread>(*this)), tidy_timer_(loop.timers(), *this) {}

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
    Fiber* fiber = Next(self);
    if (fiber == nullptr) {
      waiting_ = 0;
      loop_.Step();
      if (!leaving_.empty()) JoinLeaving();
      if (!std::exchange(hand_over_, false) || &self == main_.get()) continue;
      holder_ = main_.get();
      main_->Give();
      return false;
    }
    if (fiber->thread != &self && waiting_ <= glance_at_ && waiting_ >= kWorthAGlance) {
      glance_at_ = waiting_ / 2;
      loop_.Glance();
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
    --waiting_;
    fiber->Run();
  }
  // The worker's own thread has the last word.
  if (&self == main_.get()) return true;
  holder_ = main_.get();
  main_->Give();
  return false;
}

// A thread whose RPC has ended takes the next new one without a switch; so those that have begun go
// first. Sockets bring them by turns, all new ones and then all answers: when half of what came has
// run, the loop looks for those that go with the other half.
Fiber* KernelExecutor::Next(const FiberThread& self) {
  while (Fiber* ready = loop_.NextReady()) {
    ready->Leave();
    ready->Join(ready->thread == nullptr ? fresh_ : bound_);
    glance_at_ = ++waiting_ / 2;
  }
  const bool free = self.fiber == nullptr && &self != main_.get();
  const Link& first = free ? fresh_ : bound_;
  const Link& second = free ? bound_ : fresh_;
  if (!first.alone()) return static_cast<Fiber*>(first.next);
  return second.alone() ? nullptr : static_cast<Fiber*>(second.next);
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

bool KernelExecutor::Enter(Fiber& fiber, std::string_view name) {
  if (fiber.thread == nullptr) return false;
  fiber.thread->Call(name);
  return true;
}

void KernelExecutor::Release(Fiber& fiber) {
  FiberThread* thread = fiber.thread;
  if (thread == nullptr) return;
  fiber.thread = nullptr;
  thread->fiber = nullptr;
  thread->idle_since = loop_.now();
  idle_.push_back(thread);
  if (idle_.size() > kIdleMax) Dismiss(*(idle_.front() == holder_ ? idle_[1] : idle_.front()));
  if (!tidy_timer_.is_set()) tidy_timer_.Set(loop_.now() + kTidyInterval);
  CountIdle();
}

// Not of the one that has the baton: it ends when another has.
void KernelExecutor::Dismiss(FiberThread& thread) {
  idle_.erase(std::find(idle_.begin(), idle_.end(), &thread));
  const auto owned = std::find_if(threads_.begin(), threads_.end(),
                                  [&](const auto& one) { return one.get() == &thread; });
  leaving_.push_back(std::move(*owned));
  threads_.erase(owned);
  thread.quits = true;
  thread.Give();
}

void KernelExecutor::Tidy() {
  const std::deque<FiberThread*> idle = idle_;
  for (FiberThread* thread : idle) {
    const Instant rested = loop_.now() - thread->idle_since;
    if (rested >= kBeforeIdleName) thread->Call("lk-rpc-idle");
    if (rested < kBeforeEnd) continue;
    if (thread == holder_)
      hand_over_ = true;
    else
      Dismiss(*thread);
  }
  CountIdle();
  if (!idle_.empty()) tidy_timer_.Set(loop_.now() + kTidyInterval);
}

void KernelExecutor::JoinLeaving() { leaving_.clear(); }

void KernelExecutor::CountIdle() {
  idle_count_.store(static_cast<int64_t>(idle_.size()), std::memory_order_relaxed);
}

}  // namespace lanekeeper

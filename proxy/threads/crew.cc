#include "proxy/threads/crew.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

#include "proxy/threads/crew_thread.h"
#include "proxy/threads/refuse.h"

namespace lanekeeper {
namespace {

// How long a crew stays on a CPU at least, in nanoseconds: as long as the kernel itself takes to
// notice that another has more room.
constexpr Instant kBetweenMoves = 50'000'000;

}  // namespace

Crew::Crew(int index, const WorkerContext& context) : Worker(index, context) {}

Crew::~Crew() = default;

void Crew::StartThreads() {
  acceptor_thread_ = &threads_.emplace_back(*this, Thread::Role::kAcceptor);
  if (!acceptor_thread_->Start()) throw std::system_error(EAGAIN, std::generic_category());
  turn_ = acceptor_thread_;
  turn_->Wake();
}

bool Crew::JoinThreads() {
  if (acceptor_thread_ == nullptr) return false;
  // Once it has ended, nobody starts or joins threads any more.
  acceptor_thread_->Join();
  for (Thread& thread : threads_) {
    if (&thread != acceptor_thread_) thread.Join();
  }
  std::lock_guard lock(mutex_);  // a scrape may be counting them
  idle_.clear();
  ended_.clear();
  threads_.clear();
  return true;
}

int64_t Crew::idle_threads() const {
  std::lock_guard lock(mutex_);
  const auto alive = static_cast<int64_t>(threads_.size() - ended_.size());
  // The acceptor is none of them.
  return std::max<int64_t>(0, alive - 1 - serving_.load(std::memory_order_relaxed));
}

void Crew::OnCall(IncomingCall incoming) {
  if (const auto reason = context_.registry.TryAdmit()) {
    Refuse(std::move(incoming), *reason, context_.environment, *metrics_);
    return;
  }
  Thread* const thread = ThreadForCall();
  if (thread == nullptr) {
    context_.registry.Release();
    Refuse(std::move(incoming), RejectReason::kNoThread, context_.environment, *metrics_);
    return;
  }
  thread->Take(std::move(incoming));
  if (thread != turn_) loop_->Await(*thread);
}

Crew::Thread* Crew::ThreadForCall() {
  if (turn_->idle()) return turn_;
  std::lock_guard lock(mutex_);
  for (const auto ended : std::exchange(ended_, {})) {
    ended->Join();
    threads_.erase(ended->place());
  }
  if (!idle_.empty()) {
    Thread* const thread = idle_.back();
    idle_.pop_back();
    return thread;
  }
  Thread& thread = threads_.emplace_back(*this, Thread::Role::kRpc);
  thread.set_place(std::prev(threads_.end()));
  if (thread.Start()) return &thread;
  threads_.pop_back();
  return nullptr;
}

void Crew::PassTurn() {
  Mailbox* const next = loop_->NextWithErrands();
  turn_ = next != nullptr ? static_cast<Thread*>(next) : acceptor_thread_;
  turn_->Wake();
}

void Crew::PassTurnAndRest(Thread& thread) {
  {
    std::lock_guard lock(mutex_);
    idle_.push_back(&thread);
  }
  PassTurn();
}

bool Crew::Retire(Thread& thread) {
  std::lock_guard lock(mutex_);
  const auto place = std::find(idle_.begin(), idle_.end(), &thread);
  if (place == idle_.end()) return false;
  idle_.erase(place);
  ended_.push_back(&thread);
  return true;
}

void Crew::EndAll() {
  std::lock_guard lock(mutex_);
  stopping_ = true;
  // No RPC is left, so all others wait, for their turn or for a call.
  for (Thread& thread : threads_) {
    if (&thread != turn_) thread.Wake();
  }
}

bool Crew::MayMove() {
  const Instant now = InstantNow();
  if (now - moved_ < kBetweenMoves) return false;
  moved_ = now;
  return true;
}

bool Crew::stopping() const {
  std::lock_guard lock(mutex_);
  return stopping_;
}

}  // namespace lanekeeper

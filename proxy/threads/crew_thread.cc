#include "proxy/threads/crew_thread.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <utility>

#include "proxy/threads/thread_name.h"

namespace lanekeeper {
namespace {

// How long a thread has been without an RPC before it is called idle: a name costs a system call,
// and on a busy proxy the next RPC has the same. And before it ends.
constexpr gpr_timespec kBeforeIdleName{0, 100'000'000, GPR_TIMESPAN};
constexpr gpr_timespec kBeforeEnd{10, 0, GPR_TIMESPAN};

// How long a stream rests before its thread gives back the memory that its stack does not need
// while it waits: 8 KiB of an idle stream's 42.
constexpr std::chrono::milliseconds kBeforeStackIsReturned{100};

// Address space, not memory: only touched pages cost. Deep enough for what core does on a polling
// thread (name resolution, logging); sanitizers need several times that.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kStackBytes = 2 * 1024 * 1024;
#else
constexpr size_t kStackBytes = 256 * 1024;
#endif

// The pages of the calling thread's stack that lie below what is in use.
void ReturnUnusedStack() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  void* lowest = nullptr;
  size_t bytes = 0;
  pthread_attr_getstack(&attributes, &lowest, &bytes);
  pthread_attr_destroy(&attributes);
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  const auto from = reinterpret_cast<uintptr_t>(lowest);
  constexpr uintptr_t kInUseBelow = 512;  // by this function and by those that it calls
  const uintptr_t to = (here - kInUseBelow) / page * page;
  if (to > from) madvise(lowest, to - from, MADV_DONTNEED);
#endif
}

std::string_view NameOf(std::string_view method) {
  const size_t slash = method.rfind('/');
  return slash == std::string_view::npos ? method : method.substr(slash + 1);
}

void AddTo(std::atomic<int64_t>& written_by_one, int64_t n) {
  written_by_one.store(written_by_one.load(std::memory_order_relaxed) + n,
                       std::memory_order_relaxed);
}

}  // namespace

Crew::Thread::Thread(Crew& crew, Role role) : crew_(crew), role_(role) { sem_init(&wake_, 0, 0); }

Crew::Thread::~Thread() { sem_destroy(&wake_); }

bool Crew::Thread::Start() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  const int error = pthread_create(&thread_, &attributes, &Thread::Main, this);
  pthread_attr_destroy(&attributes);
  return error == 0;
}

void* Crew::Thread::Main(void* self) {
  static_cast<Thread*>(self)->Run();
  return nullptr;
}

void Crew::Thread::Run() {
  UseOnThisThread();
  if (role_ == Role::kAcceptor) Rename("lk-acceptor");
  Then then = Then::kWait;
  while (then != Then::kEnd) {
    if (then == Then::kWait) then = AwaitTurn();
    if (then == Then::kWaitIdle) then = AwaitTurnIdle();
    if (then == Then::kTurn) then = TakeTurn();
  }
}

Crew::Thread::Then Crew::Thread::AwaitTurn() {
  // An RPC that has had turns before may be a stream that now rests.
  if (turns_of_rpc_ > 1 && !WokenWithin(kBeforeStackIsReturned)) ReturnUnusedStack();
  while (!woken_ && sem_wait(&wake_) != 0) {
  }
  woken_ = false;
  return crew_.stopping() ? Then::kEnd : Then::kTurn;
}

bool Crew::Thread::WokenWithin(std::chrono::milliseconds time) {
  const gpr_timespec end =
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(time.count(), GPR_TIMESPAN));
  const timespec until{static_cast<time_t>(end.tv_sec), end.tv_nsec};
  while (sem_clockwait(&wake_, CLOCK_MONOTONIC, &until) != 0) {
    if (errno == ETIMEDOUT) return false;
  }
  return woken_ = true;
}

Crew::Thread::Then Crew::Thread::AwaitTurnIdle() {
  while (rest_ != Rest::kOver) {
    const gpr_timespec end = next_rest();
    const timespec until{static_cast<time_t>(end.tv_sec), end.tv_nsec};
    if (sem_clockwait(&wake_, CLOCK_MONOTONIC, &until) == 0) {
      return crew_.stopping() ? Then::kEnd : Then::kTurn;
    }
    RestLonger();
  }
  return crew_.Retire(*this) ? Then::kEnd : Then::kWait;
}

Crew::Thread::Then Crew::Thread::TakeTurn() {
  ++turns_of_rpc_;
  crew_.loop_->TurnBegins();
  const RpcLoop::Step last = Work();
  crew_.loop_->TurnEnds();
  if (last == RpcLoop::Step::kShutdown) {
    crew_.EndAll();
    return Then::kEnd;
  }
  // Once the turn is passed, another may give us a call at any time.
  if (!idle()) {
    crew_.PassTurn();
    return Then::kWait;
  }
  crew_.PassTurnAndRest(*this);
  return Then::kWaitIdle;
}

RpcLoop::Step Crew::Thread::Work() {
  RpcLoop& loop = *crew_.loop_;
  for (;;) {
    RpcLoop::DoErrands(*this);
    if (call_) Serve();
    loop.CatchUp();
    if (call_) continue;  // it has come just now
    const bool others_first = loop.others_wait() && !loop.poll_due();
    if (others_first || rest_ == Rest::kOver) return RpcLoop::Step::kEvent;
    if (loop.may_block()) Unpin();
    const RpcLoop::Step step = loop.TakeStep(next_rest());
    if (step == RpcLoop::Step::kShutdown) return step;
    if (step == RpcLoop::Step::kDry && idle()) RestLonger();
  }
}

void Crew::Thread::Wake() {
  const int here = crew_.placement_.useful() ? sched_getcpu() : -1;
  if (here >= 0 && pinned_to_ != here) {
    crew_.placement_.Pin(thread_, here);
    pinned_to_ = here;
  }
  sem_post(&wake_);
}

// Whoever waits for the network may wake up on any CPU. Now and then: all others follow, each with
// two system calls.
void Crew::Thread::Unpin() {
  if (pinned_to_ < 0 || !crew_.MayMove()) return;
  crew_.placement_.Free(thread_);
  pinned_to_ = -1;
}

void Crew::Thread::Serve() {
  Rename(NameOf(call_->method()));
  rpc_open_ = true;
  turns_of_rpc_ = 1;
  rest_ = Rest::kNone;
  AddTo(crew_.serving_, 1);
  IncomingCall call = *std::exchange(call_, std::nullopt);
  crew_.rpcs_.Open(std::move(call), crew_.context_.environment, *crew_.loop_, *this).Start();
}

void Crew::Thread::OnRpcEnded(Rpc& rpc) {
  crew_.rpcs_.Close(rpc);
  rpc_open_ = false;
  rest_ = Rest::kShort;
  AddTo(crew_.serving_, -1);
  rests_since_ = gpr_now(GPR_CLOCK_MONOTONIC);
}

gpr_timespec Crew::Thread::next_rest() const {
  switch (rest_) {
    case Rest::kShort:
      return gpr_time_add(rests_since_, kBeforeIdleName);
    case Rest::kLong:
      return gpr_time_add(rests_since_, kBeforeEnd);
    default:
      return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  }
}

void Crew::Thread::RestLonger() {
  const gpr_timespec now = gpr_now(GPR_CLOCK_MONOTONIC);
  if (rest_ == Rest::kShort && gpr_time_cmp(now, next_rest()) >= 0) {
    rest_ = Rest::kLong;
    Rename("lk-rpc-idle");
  }
  if (rest_ == Rest::kLong && gpr_time_cmp(now, next_rest()) >= 0) rest_ = Rest::kOver;
}

void Crew::Thread::Rename(std::string_view name) {
  if (name == name_) return;
  name_ = name;
  SetThreadName(name_);
}

}  // namespace lanekeeper

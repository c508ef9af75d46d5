#include "proxy/net/resolver.h"

#include <netdb.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <system_error>
#include <utility>

#include "proxy/base/thread_name.h"

namespace lanekeeper {
namespace {

// How long an answer that came too late is still one.
constexpr Instant kKeptFor = 30'000'000'000;

}  // namespace

Resolver::Answer Resolver::LookUpBySystem(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  Resolver::Answer answer;
  int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  // "localhost" on a machine that has nothing but the loopback interface.
  if (error == EAI_NONAME || error == EAI_ADDRFAMILY) {
    hints.ai_flags = 0;
    error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  }
  if (error != 0) {
    answer.error = error == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(error);
    return answer;
  }
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    answer.addresses.push_back(SocketAddress::Of(*one->ai_addr, one->ai_addrlen));
  }
  freeaddrinfo(found);
  if (answer.addresses.empty()) answer.error = "the name has no address";
  return answer;
}

// What the thread and the Resolver both have; the thread may outlive the Resolver.
struct Resolver::Shared {
  void Run();

  std::mutex mutex;
  std::condition_variable changed;
  LookUp look_up;
  std::optional<Question> question;
  bool looking = false;       // the thread is in the middle of a look-up
  Resolver* owner = nullptr;  // null once it has ended
};

void Resolver::Shared::Run() {
  SetThreadName("lk-resolver");
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [this] { return owner == nullptr || question.has_value(); });
    if (owner == nullptr) return;
    Question asked = *std::exchange(question, std::nullopt);
    looking = true;
    lock.unlock();
    Answer answer = look_up(asked.host, asked.port);
    lock.lock();
    looking = false;
    if (owner == nullptr) return;
    // The loop outlives the Resolver. The work may not: it looks whether there still is one.
    owner->loop_.Post([alive = std::weak_ptr<Shared>(owner->shared_), asked = std::move(asked),
                       answer = std::move(answer)]() mutable {
      const auto shared = alive.lock();
      if (shared == nullptr || shared->owner == nullptr) return;
      shared->owner->OnAnswer(asked, std::move(answer));
    });
  }
}

Resolver::Resolver(EventLoop& loop, LookUp look_up, std::chrono::nanoseconds patience)
    : loop_(loop),
      patience_(patience.count()),
      shared_(std::make_shared<Shared>()),
      timer_(loop.timers(), *this) {
  shared_->look_up = std::move(look_up);
  shared_->owner = this;
}

Resolver::~Resolver() {
  bool hangs = false;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->owner = nullptr;
    hangs = shared_->looking;
    shared_->changed.notify_all();
  }
  if (!thread_.joinable()) return;
  if (hangs)
    thread_.detach();
  else
    thread_.join();
}

void Resolver::Resolve(std::string host, uint16_t port, Done done) {
  Question question{std::move(host), port};
  const Instant now = InstantNow();
  if (question != question_ || now - kept_at_ > kKeptFor) kept_.reset();
  question_ = std::move(question);
  done_ = std::move(done);
  late_ = false;
  timer_.Set(kept_ ? now : now + patience_);
  if (!kept_) Ask();
}

void Resolver::Ask() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->question = question_;
    shared_->changed.notify_all();
  }
  if (thread_.joinable()) return;
  try {
    thread_ = std::thread([shared = shared_] { shared->Run(); });
  } catch (const std::system_error&) {
    // No thread is to be had: the time runs out, and the next question tries again.
  }
}

// Also that of an earlier look-up for the same name, which may have taken longer than its question
// waited: where the first of two name servers is dead, each takes a little more than 5 s.
void Resolver::OnAnswer(const Question& question, Answer answer) {
  if (question != question_) return;
  if (done_) {
    timer_.Cancel();
    kept_.reset();
    {
      const std::lock_guard lock(shared_->mutex);
      shared_->question.reset();
    }
    return std::exchange(done_, nullptr)(std::move(answer));
  }
  if (!late_ || answer.addresses.empty()) return;
  late_ = false;
  kept_ = std::move(answer);
  kept_at_ = loop_.now();
}

// There is a kept answer, or none has come in time.
void Resolver::OnTimer() {
  late_ = !kept_;
  Answer answer{{}, "the name server does not answer"};
  if (kept_) answer = *std::exchange(kept_, std::nullopt);
  std::exchange(done_, nullptr)(std::move(answer));
}

}  // namespace lanekeeper

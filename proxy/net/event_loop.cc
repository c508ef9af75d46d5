#include "proxy/net/event_loop.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace lanekeeper {
namespace {

constexpr int kForever = -1;

}  // namespace

EventLoop::EventLoop()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!epoll_ || !wake_) throw std::runtime_error("no file descriptor is left for an event loop");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
}

// What is retired may retire more.
EventLoop::~EventLoop() {
  while (!retired_.empty()) std::exchange(retired_, {}).clear();
}

void EventLoop::Watch(int fd, EventHandler& handler, uint32_t events) {
  epoll_event event{};
  event.events = events | EPOLLET;
  event.data.ptr = &handler;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

void EventLoop::Forget(int fd) { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void EventLoop::Post(std::function<void()> work) {
  {
    const std::lock_guard lock(posted_mutex_);
    posted_.push_back(std::move(work));
    if (has_posted_.exchange(true)) return;
  }
  Wake();
}

void EventLoop::Stop() {
  stopped_ = true;
  Wake();
}

void EventLoop::Wake() const {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(wake_.get(), &one, sizeof one);
}

void EventLoop::Step() {
  if (!to_flush_.alone()) return FlushAll();
  if (!retired_.empty()) return std::exchange(retired_, {}).clear();
  Poll(WaitMs());
}

void EventLoop::Glance() {
  if (!to_flush_.alone()) FlushAll();
  std::exchange(retired_, {}).clear();
  Poll(0);
}

// Each that asks for a flush now gets one; those that ask again meanwhile, in the next step.
void EventLoop::FlushAll() {
  Link now;
  now.TakeAll(to_flush_);
  while (!now.alone()) {
    auto* output = static_cast<Flushable*>(now.next);
    output->Leave();
    output->Flush();
  }
}

int EventLoop::WaitMs() const {
  const auto next = timers_.next();
  if (!next) return kForever;
  const Instant left = *next - InstantNow();
  if (left <= 0) return 0;
  // Rounded up: a timer is never early.
  return static_cast<int>(std::min<Instant>((left + 999'999) / 1'000'000, 60'000));
}

void EventLoop::Poll(int wait_ms) {
  const int count =
      epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), wait_ms);
  clock_.Tick();
  for (int i = 0; i < count; ++i) {
    const epoll_event event = events_[static_cast<size_t>(i)];
    if (event.data.ptr == nullptr) {
      uint64_t ignored = 0;
      [[maybe_unused]] const ssize_t n = read(wake_.get(), &ignored, sizeof ignored);
      continue;
    }
    static_cast<EventHandler*>(event.data.ptr)->OnEvents(event.events);
  }
  timers_.RunDue(clock_.now());
  if (has_posted_.load(std::memory_order_acquire)) RunPosted();
}

void EventLoop::RunPosted() {
  std::vector<std::function<void()>> posted;
  {
    const std::lock_guard lock(posted_mutex_);
    posted.swap(posted_);
    has_posted_ = false;
  }
  for (const auto& work : posted) work();
}

}  // namespace lanekeeper

#include "tests/bench/load/event_loop.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <system_error>

namespace bench {
namespace {

void Control(int epoll, int operation, int fd, uint32_t events, EventHandler& handler) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &handler;
  if (epoll_ctl(epoll, operation, fd, &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

}  // namespace

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_.get() < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  Tick();
}

void EventLoop::Watch(int fd, uint32_t events, EventHandler& handler) {
  Control(epoll_.get(), EPOLL_CTL_ADD, fd, events, handler);
}

void EventLoop::Change(int fd, uint32_t events, EventHandler& handler) {
  Control(epoll_.get(), EPOLL_CTL_MOD, fd, events, handler);
}

void EventLoop::Forget(int fd, EventHandler& handler) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  std::erase(to_flush_, &handler);
}

void EventLoop::RunRound(int timeout_ms) {
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                               to_flush_.empty() ? timeout_ms : 0);
  if (count < 0 && errno != EINTR) {
    throw std::system_error(errno, std::generic_category(), "epoll_wait");
  }
  Tick();
  for (int i = 0; i < count; ++i) {
    static_cast<EventHandler*>(events[i].data.ptr)->OnEvents(events[i].events);
  }
  flushing_.swap(to_flush_);
  for (EventHandler* handler : flushing_) handler->Flush();
  flushing_.clear();
}

void EventLoop::Tick() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  now_ns_ = static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace bench

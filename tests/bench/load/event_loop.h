// One thread that waits on many sockets (epoll).
#pragma once

#include <cstdint>
#include <vector>

#include "tests/bench/load/sockets.h"

namespace bench {

// What the loop calls; the loop borrows it.
class EventHandler {
 public:
  virtual ~EventHandler() = default;
  virtual void OnEvents(uint32_t epoll_events) = 0;
  // At the end of a round in which FlushLater was called.
  virtual void Flush() {}
};

// Owns the epoll descriptor. One thread. Level-triggered; whatever handlers have to write, they
// write once per round, after all that could be read has been, so that a burst leaves in one write.
// A handler may be destroyed between rounds only.
class EventLoop {
 public:
  EventLoop();

  // Throws std::system_error, with EPERM for a descriptor that never blocks (a plain file).
  void Watch(int fd, uint32_t events, EventHandler& handler);
  void Change(int fd, uint32_t events, EventHandler& handler);
  // Must be called before the descriptor is closed or the handler destroyed.
  void Forget(int fd, EventHandler& handler);
  void FlushLater(EventHandler& handler) { to_flush_.push_back(&handler); }

  // Waits, at most so long, unless something is left to flush.
  void RunRound(int timeout_ms);

  // Monotonic. Read when a round wakes and when Tick is called, not at each use: a time taken of it
  // is at most one batch of input old, so what is measured from it to the next is never too short.
  uint64_t now_ns() const { return now_ns_; }
  void Tick();

 private:
  UniqueFd epoll_;
  uint64_t now_ns_ = 0;
  std::vector<EventHandler*> to_flush_;
  std::vector<EventHandler*> flushing_;
};

}  // namespace bench

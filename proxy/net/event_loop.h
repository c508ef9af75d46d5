// One worker's epoll loop. A turn: events are read and only recorded, fibers run, output is
// flushed, then the next wait. Nothing is locked, because one thread at a time runs it (the baton
// may pass from thread to thread, see rpc/executor.h). Post and Stop may come from any thread;
// everything else from the one that runs the loop. Owns the worker's pool, buffers and timers.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/fd.h"
#include "proxy/base/fiber.h"
#include "proxy/base/pool.h"
#include "proxy/net/buffer.h"
#include "proxy/net/helper_thread.h"
#include "proxy/net/timers.h"

namespace lanekeeper {

// Told of what happens to a descriptor, edge-triggered: read until there is no more.
class EventHandler {
 public:
  virtual void OnEvents(uint32_t events) = 0;

 protected:
  ~EventHandler() = default;
};

// Has output that leaves at the end of the turn.
class Flushable : public Link {
 public:
  virtual void Flush() = 0;

 protected:
  ~Flushable() { Leave(); }
};

// Something to be destroyed between two steps, when nobody on the stack uses it.
class Retired {
 public:
  virtual ~Retired() = default;
};

class EventLoop {
 public:
  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  // Registered once; the handler must live until Forget and one step longer.
  void Watch(int fd, EventHandler& handler, uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP);
  void Forget(int fd);

  void RequestFlush(Flushable& output) {
    if (output.alone()) output.Join(to_flush_);
  }
  void Retire(std::unique_ptr<Retired> object) { retired_.push_back(std::move(object)); }

  // Any thread: runs the work on the loop's thread, soon. After Stop it may never run.
  void Post(std::function<void()> work);

  // One step while no fiber is ready: flushes what there is to flush, or waits for events.
  void Step();
  // The same in the middle of the ready fibers: what is there to flush and to be taken, no wait.
  void Glance();
  // Any thread.
  void Stop();
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

  ReadyList& ready() { return ready_; }
  // The first ready fiber, which leaves the list; null if there is none.
  Fiber* NextReady() {
    if (ready_.alone()) return nullptr;
    return static_cast<Fiber*>(ready_.next);
  }

  Timers& timers() { return timers_; }
  const LoopClock& clock() const { return clock_; }
  Instant now() const { return clock_.now(); }
  Pool& pool() { return pool_; }
  Buffers& buffers() { return buffers_; }
  const Buffers& buffers() const { return buffers_; }
  // For what would hold the loop up.
  HelperThread& helper() { return helper_; }

 private:
  void FlushAll();
  void Poll(int wait_ms);
  void RunPosted();
  int WaitMs() const;
  void Wake() const;

  Pool pool_;
  Buffers buffers_{pool_};
  Timers timers_;
  LoopClock clock_;
  ReadyList ready_;
  Link to_flush_;
  std::vector<std::unique_ptr<Retired>> retired_;
  const Fd epoll_;
  const Fd wake_;
  std::atomic<bool> stopped_{false};

  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
  std::atomic<bool> has_posted_{false};
  // Not on the stack, which each thread that runs the loop has one of.
  std::array<epoll_event, 256> events_;
  HelperThread helper_;  // posts until it has ended, so it ends first
};

}  // namespace lanekeeper

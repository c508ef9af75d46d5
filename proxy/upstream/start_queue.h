// RPCs that have been started upstream but whose headers have not left yet: they wait for a
// connection, or for the upstream to allow one more stream (MAX_CONCURRENT_STREAMS, RFC 9113
// section 5.1.2). Core lets them wait in the order they came, without a bound; this counts them.
// Any thread. One change of the count as an RPC starts and one as its headers leave.
#pragma once

#include <atomic>
#include <cstdint>

#include "proxy/threads/loop_clock.h"

namespace lanekeeper {

class StartQueue {
 public:
  explicit StartQueue(int64_t waiting_max) : waiting_max_(waiting_max) {}
  StartQueue(const StartQueue&) = delete;
  StartQueue& operator=(const StartQueue&) = delete;

  void Enter() { waiting_.fetch_add(1, std::memory_order_relaxed); }
  void Leave() { waiting_.fetch_sub(1, std::memory_order_relaxed); }

  // The headers of an RPC that began to wait then have left. So have those of all that began before
  // it: core lets them go in order.
  void Left(Instant began) {
    if (began > left_up_to_.load(std::memory_order_relaxed)) {
      left_up_to_.store(began, std::memory_order_relaxed);
    }
  }
  Instant left_up_to() const { return left_up_to_.load(std::memory_order_relaxed); }

  // Whether some have been waiting for long. Then headers go ahead of their message, for when they
  // leave tells what the others wait for: a stream, or flow control.
  void set_slow(bool slow) { slow_.store(slow, std::memory_order_relaxed); }
  bool slow() const { return slow_.load(std::memory_order_relaxed); }

  int64_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  // Whether one more would have to be refused if it had to wait.
  bool full() const { return waiting() >= waiting_max_; }
  // Whether more wait than may, one of them oneself.
  bool overfull() const { return waiting() > waiting_max_; }

 private:
  const int64_t waiting_max_;
  std::atomic<int64_t> waiting_{0};
  std::atomic<Instant> left_up_to_{0};
  std::atomic<bool> slow_{false};
};

// At one moment: whether there is a connection, and until when RPCs began to wait whose headers
// have left since (0: not known).
struct UpstreamView {
  bool ready = false;
  Instant left_up_to = 0;
};

}  // namespace lanekeeper

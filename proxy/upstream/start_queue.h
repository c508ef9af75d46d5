// RPCs that have been started upstream but whose headers have not left yet: they wait for a
// connection, or for the upstream to allow one more stream (MAX_CONCURRENT_STREAMS, RFC 9113
// section 5.1.2). Core lets them wait in the order they came, without a bound; this counts them.
// Any thread. One change of the count as an RPC starts and one as its headers leave.
#pragma once

#include <atomic>
#include <cstdint>

namespace lanekeeper {

class StartQueue {
 public:
  explicit StartQueue(int64_t waiting_max) : waiting_max_(waiting_max) {}
  StartQueue(const StartQueue&) = delete;
  StartQueue& operator=(const StartQueue&) = delete;

  void Enter() { waiting_.fetch_add(1, std::memory_order_relaxed); }
  void Leave() { waiting_.fetch_sub(1, std::memory_order_relaxed); }

  int64_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  // Whether one more would have to be refused if it had to wait.
  bool full() const { return waiting() >= waiting_max_; }
  // Whether more wait than may, one of them oneself.
  bool overfull() const { return waiting() > waiting_max_; }

 private:
  const int64_t waiting_max_;
  std::atomic<int64_t> waiting_{0};
};

}  // namespace lanekeeper

// A counter that one thread writes and any thread reads: a plain load and store, no locked
// instruction.
#pragma once

#include <atomic>
#include <cstdint>

namespace lanekeeper {

class Cell {
 public:
  // Only the one thread that owns the cell.
  void Add(int64_t n) { Set(Get() + n); }
  void Set(int64_t n) { value_.store(n, std::memory_order_relaxed); }
  // Any thread.
  int64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

}  // namespace lanekeeper

// Every live RPC: owns them, bounds their number, cancels what a drain leaves over.
// Sharded by thread: an RPC enters and leaves the shard of its thread, whose lock nobody else takes
// but a drain or a listing. Admission is one counter for all.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <optional>

#include "proxy/rpc/rpc.h"

namespace lanekeeper {

class RpcRegistry {
 public:
  class Shard {
   public:
    explicit Shard(RpcRegistry& registry) : registry_(registry) {}

    // Only after TryAdmit. The RPC lives until Close, which its owner calls when told that it
    // ended.
    Rpc& Open(IncomingCall incoming, RpcEnvironment& environment, RpcLoop& loop, RpcOwner& owner);
    void Close(Rpc& rpc);

   private:
    friend class RpcRegistry;

    RpcRegistry& registry_;
    std::mutex mutex_;
    std::list<Rpc> rpcs_;
  };

  RpcRegistry(int64_t open_rpcs_max, size_t shards);
  RpcRegistry(const RpcRegistry&) = delete;
  RpcRegistry& operator=(const RpcRegistry&) = delete;

  // Takes a place for one more RPC; why not, when there is none. Shard::Close gives it back, or
  // Release where no RPC came of it.
  std::optional<RejectReason> TryAdmit();
  void Release();

  Shard& shard(size_t index) { return shards_[index % shards_.size()]; }
  // Admits no more: once it is empty then, it stays so.
  void Close() { closed_.store(true); }
  int64_t open() const { return open_.load(std::memory_order_relaxed); }

  // Until no RPC is open; false at the deadline.
  bool WaitUntilEmpty(std::chrono::steady_clock::time_point deadline);

  // Calls end(rpc) for every open RPC, under the lock of its shard; how many there were.
  template <class End>
  size_t ForEach(End&& end) {
    size_t count = 0;
    for (Shard& shard : shards_) {
      std::lock_guard lock(shard.mutex_);
      for (Rpc& rpc : shard.rpcs_) end(rpc);
      count += shard.rpcs_.size();
    }
    return count;
  }

 private:
  const int64_t open_rpcs_max_;
  std::atomic<int64_t> open_{0};
  std::atomic<bool> closed_{false};
  std::deque<Shard> shards_;

  std::mutex empty_mutex_;
  std::condition_variable empty_;
};

}  // namespace lanekeeper

// Every live RPC: owns them, bounds their number, shows them to whoever asks, cancels what a drain
// leaves over. Sharded by thread: an RPC enters and leaves the shard of its thread, whose lock
// others take only to look at a few RPCs at a time. Admission is one counter for all.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "proxy/rpc/rpc.h"
#include "proxy/threads/block_pool.h"

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
    using Rpcs =
        std::map<StreamId, Rpc, std::less<>, PoolAllocator<std::pair<const StreamId, Rpc>>>;

    RpcRegistry& registry_;
    std::mutex mutex_;
    Rpcs rpcs_;
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

  // Calls visit(rpc) for every open RPC, in each shard the oldest first, under the lock of its
  // shard, which is let go of again and again. RPCs that open or end meanwhile may be missed. How
  // many were visited.
  template <class Visit>
  size_t ForEach(Visit&& visit) {
    size_t count = 0;
    for (Shard& shard : shards_) {
      for (StreamId next = 1; next != 0;) {
        // A mutex that is taken again at once may be taken from one who has waited for it.
        if (next > 1) std::this_thread::sleep_for(kBetweenVisits);
        next = VisitSome(shard, next, visit, count);
      }
    }
    return count;
  }

  // Calls visit(rpc) for the one with this id, under the lock of its shard; false if it is not
  // open.
  template <class Visit>
  bool Find(StreamId id, Visit&& visit) {
    for (Shard& shard : shards_) {
      std::lock_guard lock(shard.mutex_);
      const auto rpc = shard.rpcs_.find(id);
      if (rpc == shard.rpcs_.end()) continue;
      visit(rpc->second);
      return true;
    }
    return false;
  }

 private:
  // How long a thread may have to wait for whoever looks at its RPCs, and how long it then has to
  // get its turn.
  static constexpr Instant kVisitNanoseconds = 50'000;
  static constexpr auto kBetweenVisits = std::chrono::microseconds(20);

  // From `id` on; the id to go on with, 0 when that was all.
  template <class Visit>
  static StreamId VisitSome(Shard& shard, StreamId id, Visit& visit, size_t& count) {
    std::lock_guard lock(shard.mutex_);
    const Instant end = InstantNow() + kVisitNanoseconds;
    for (auto rpc = shard.rpcs_.lower_bound(id); rpc != shard.rpcs_.end(); ++rpc) {
      if (count % 16 == 15 && InstantNow() > end) return rpc->first;
      visit(rpc->second);
      ++count;
    }
    return 0;
  }

  const int64_t open_rpcs_max_;
  std::atomic<int64_t> open_{0};
  std::atomic<StreamId> last_id_{0};
  std::atomic<bool> closed_{false};
  std::deque<Shard> shards_;

  std::mutex empty_mutex_;
  std::condition_variable empty_;
};

}  // namespace lanekeeper

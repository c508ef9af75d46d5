// Every live RPC: owns them, bounds their number, shows them to whoever asks, cancels what a drain
// leaves over. Sharded by worker: an RPC enters and leaves the shard of its worker, whose lock
// others take only to look at a few RPCs at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "proxy/rpc/admission.h"
#include "proxy/rpc/rpc.h"

namespace lanekeeper {

class RpcRegistry;

// The RPCs of one worker. Open and Close on its loop's thread.
class RpcShard {
 public:
  RpcShard(RpcRegistry& registry, EventLoop& loop)
      : registry_(registry), loop_(loop), rpcs_(Allocator(loop.pool())) {}
  RpcShard(const RpcShard&) = delete;
  RpcShard& operator=(const RpcShard&) = delete;
  ~RpcShard();

  Rpc& Open(AdmittedPlace place, Request request, RpcEnvironment& environment);
  // It has ended: destroyed between two steps of the loop.
  void Close(Rpc& rpc);
  // Any thread.
  void InterruptLater(StreamId id, Ending ending, bool at_once);

 private:
  friend class RpcRegistry;
  using Allocator = PoolAllocator<std::pair<const StreamId, std::unique_ptr<Rpc>>>;

  RpcRegistry& registry_;
  EventLoop& loop_;
  std::mutex mutex_;
  std::map<StreamId, std::unique_ptr<Rpc>, std::less<>, Allocator> rpcs_;
};

class RpcRegistry {
 public:
  explicit RpcRegistry(const LimitsConfig& limits) : admission_(limits) {}
  RpcRegistry(const RpcRegistry&) = delete;
  RpcRegistry& operator=(const RpcRegistry&) = delete;

  // Before the first RPC.
  RpcShard& AddShard(EventLoop& loop) { return shards_.emplace_back(*this, loop); }
  Admission& admission() { return admission_; }
  const Admission& admission() const { return admission_; }
  int64_t open() const { return admission_.open(); }

  // Calls visit(rpc) for every open RPC, in each shard the oldest first, under the lock of its
  // shard, which is let go of again and again. RPCs that open or end meanwhile may be missed. How
  // many were visited.
  template <class Visit>
  size_t ForEach(Visit&& visit) {
    size_t count = 0;
    for (RpcShard& shard : shards_) {
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
    for (RpcShard& shard : shards_) {
      const std::lock_guard lock(shard.mutex_);
      const auto rpc = shard.rpcs_.find(id);
      if (rpc == shard.rpcs_.end()) continue;
      visit(*rpc->second);
      return true;
    }
    return false;
  }

 private:
  friend class RpcShard;

  // How long a thread may have to wait for whoever looks at its RPCs, and how long it then has to
  // get its turn.
  static constexpr Instant kVisitNanoseconds = 50'000;
  static constexpr auto kBetweenVisits = std::chrono::microseconds(20);

  // From `id` on; the id to go on with, 0 when that was all.
  template <class Visit>
  static StreamId VisitSome(RpcShard& shard, StreamId id, Visit& visit, size_t& count) {
    const std::lock_guard lock(shard.mutex_);
    const Instant end = InstantNow() + kVisitNanoseconds;
    for (auto rpc = shard.rpcs_.lower_bound(id); rpc != shard.rpcs_.end(); ++rpc) {
      if (count % 16 == 15 && InstantNow() > end) return rpc->first;
      visit(*rpc->second);
      ++count;
    }
    return 0;
  }

  Admission admission_;
  std::atomic<StreamId> last_id_{0};
  std::deque<RpcShard> shards_;
};

}  // namespace lanekeeper

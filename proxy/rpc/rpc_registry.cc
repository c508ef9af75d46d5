#include "proxy/rpc/rpc_registry.h"

#include <utility>

namespace lanekeeper {

RpcRegistry::RpcRegistry(int64_t open_rpcs_max, size_t shards) : open_rpcs_max_(open_rpcs_max) {
  for (size_t i = 0; i < shards; ++i) shards_.emplace_back(*this);
}

std::optional<RejectReason> RpcRegistry::TryAdmit() {
  const int64_t before = open_.fetch_add(1);
  // In this order: whoever waits for emptiness after Close either sees our place taken or we see
  // that it is closed.
  const bool closed = closed_.load();
  if (before < open_rpcs_max_ && !closed) return {};
  Release();
  return closed ? RejectReason::kDraining : RejectReason::kOpenRpcs;
}

void RpcRegistry::Release() {
  if (open_.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  // The lock orders this with a waiter that has just seen a number above zero.
  std::lock_guard lock(empty_mutex_);
  empty_.notify_all();
}

bool RpcRegistry::WaitUntilEmpty(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(empty_mutex_);
  return empty_.wait_until(lock, deadline, [this] { return open_.load() == 0; });
}

Rpc& RpcRegistry::Shard::Open(IncomingCall incoming, RpcEnvironment& environment, RpcLoop& loop,
                              RpcOwner& owner) {
  // Made, and below destroyed, outside the lock.
  const StreamId id = registry_.last_id_.fetch_add(1, std::memory_order_relaxed) + 1;
  Rpcs one;
  one.try_emplace(id, id, std::move(incoming), environment, loop, owner);
  std::lock_guard lock(mutex_);
  return rpcs_.insert(rpcs_.end(), one.extract(one.begin()))->second;
}

void RpcRegistry::Shard::Close(Rpc& rpc) {
  {
    std::unique_lock lock(mutex_);
    const auto ended = rpcs_.extract(rpc.id());
    lock.unlock();
  }
  registry_.Release();
}

}  // namespace lanekeeper

#include "proxy/rpc/rpc_registry.h"

namespace lanekeeper {

RpcShard::~RpcShard() = default;

Rpc& RpcShard::Open(AdmittedPlace place, Request request, RpcEnvironment& environment) {
  // Made outside the lock.
  const StreamId id = registry_.last_id_.fetch_add(1, std::memory_order_relaxed) + 1;
  std::unique_ptr<Rpc> rpc(new (loop_.pool())
                               Rpc(id, std::move(place), std::move(request), environment, *this));
  const std::lock_guard lock(mutex_);
  return *rpcs_.emplace_hint(rpcs_.end(), id, std::move(rpc))->second;
}

void RpcShard::Close(Rpc& rpc) {
  std::unique_ptr<Rpc> ended;
  {
    const std::lock_guard lock(mutex_);
    const auto found = rpcs_.find(rpc.id());
    ended = std::move(found->second);
    rpcs_.erase(found);
  }
  loop_.Retire(std::move(ended));
}

void RpcShard::InterruptLater(StreamId id, Ending ending, bool at_once) {
  loop_.Post([this, id, ending = std::move(ending), at_once] {
    // Only this thread removes RPCs, so the lock is not needed to look.
    const auto found = rpcs_.find(id);
    if (found != rpcs_.end()) found->second->Interrupt(ending, at_once);
  });
}

}  // namespace lanekeeper

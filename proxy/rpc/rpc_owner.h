// Who keeps an RPC alive. Released once, on the RPC's thread, as the last thing the RPC does.
#pragma once

namespace lanekeeper {

class Rpc;

class RpcOwner {
 public:
  virtual void OnRpcEnded(Rpc& rpc) = 0;

 protected:
  ~RpcOwner() = default;
};

}  // namespace lanekeeper

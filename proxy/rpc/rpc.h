// One forwarded RPC, from its admission to its last returned tag: translate, forward both ways,
// end. Owns its two halves and its numbers. Lives on one thread, its loop's; Cancel may come from
// any. Ends itself: when the upstream's status went downstream, or the downstream went away. Then
// it tells its owner, which frees it. proxy/README.md tells the life of an RPC step by step.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <optional>
#include <string>

#include "proxy/downstream/server_call.h"
#include "proxy/metrics/rpc_recorder.h"
#include "proxy/rpc/pump.h"
#include "proxy/rpc/rpc_owner.h"
#include "proxy/threads/rpc_loop.h"
#include "proxy/threads/task.h"
#include "proxy/upstream/call_attempts.h"

namespace lanekeeper {

// What every RPC of a proxy shares. Outlives them all.
struct RpcEnvironment {
  SharedChannel& channel;
  MetadataRules request_metadata;
  MetadataRules response_metadata;
  size_t message_bytes_max;
};

class Rpc {
 public:
  Rpc(IncomingCall incoming, RpcEnvironment& environment, RpcLoop& loop, RpcOwner& owner);
  Rpc(const Rpc&) = delete;
  Rpc& operator=(const Rpc&) = delete;

  // On the loop's thread. May end the RPC, and so destroy it, before it returns.
  void Start();

  // Any thread, while the owner keeps the RPC alive. Ends it with UNAVAILABLE, behind what is being
  // sent.
  void EndForDrain();
  // The same, but at once, for a downstream that does not take what is being sent. It may see a
  // lost connection instead of the status: core closes a connection that drains as soon as its last
  // stream ends.
  void CancelForDrain();

  // Where its owner keeps it.
  using Position = std::list<Rpc>::iterator;
  void set_position(Position position) { position_ = position; }
  Position position() const { return position_; }

 private:
  Detached RunToEnd();
  Task Run();
  Task ForwardRequests();
  Task PumpRequests(PumpCells cells, PumpEnd& end);
  Task ForwardResponses();
  Task PumpResponses(PumpEnd& end);
  Task WatchDownstream();
  Task ForwardHeaders();

  bool CanRenewUpstream() const;
  PumpCells CellsOf(Direction direction);
  bool TakeOverHeaders();
  RpcStatus TakeUpstreamStatus();
  TerminationCause CauseOf(const RpcStatus& status) const;
  void FailWith(TerminationCause cause, grpc_status_code code, std::string message);
  void FailFor(const TranslatedMetadata& metadata, grpc_status_code if_illegal);
  void FailTooLarge(const Message& message);
  void RefuseToWait();
  bool deadline_passed() const;

  RpcLoop& loop_;
  RpcEnvironment& environment_;
  RpcOwner& owner_;
  Position position_;
  ServerCall downstream_;
  CallAttempts upstream_;
  RpcRecorder recorder_;
  // Set when we end the RPC ourselves: this goes downstream in place of the upstream's status.
  std::optional<RpcStatus> own_status_;
  std::atomic<bool> drained_{false};
};

}  // namespace lanekeeper

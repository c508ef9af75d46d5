// One forwarded RPC, from its admission to its last returned tag: translate, forward both ways,
// end. Owns its two halves and its numbers. Lives on one thread, its loop's; Cancel may come from
// any. Ends itself: when the upstream's status went downstream, or the downstream went away. Then
// it tells its owner, which frees it. proxy/README.md tells the life of an RPC step by step.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "proxy/downstream/server_call.h"
#include "proxy/log/access_log.h"
#include "proxy/metrics/rpc_recorder.h"
#include "proxy/rpc/pump.h"
#include "proxy/rpc/rpc_owner.h"
#include "proxy/rpc/stream_activity.h"
#include "proxy/rpc/stream_snapshot.h"
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
  RpcThreadKind thread_kind;
  StallRules stall_rules;
  AccessLog access_log;
  // The time of day when the steady clock was at 0: once for all, so that the start of an RPC stays
  // the same whenever somebody looks.
  std::chrono::system_clock::time_point steady_epoch;
};

class Rpc {
 public:
  Rpc(StreamId id, IncomingCall incoming, RpcEnvironment& environment, RpcLoop& loop,
      RpcOwner& owner);
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
  // Any thread, as above. Ends it at once with this status, whatever is being sent.
  void Cancel(TerminationCause cause, grpc_status_code code, const std::string& message);

  StreamId id() const { return id_; }
  // Whether it was ended from outside. Any thread, as above.
  bool interrupted() const { return interruption().code != GRPC_STATUS_OK; }
  // Any thread, as above. Its end gets a line in the log, as its being stuck has.
  void set_told_stuck() { told_stuck_.store(true, std::memory_order_relaxed); }
  // Any thread, as above: what it looks like now.
  StreamSnapshot Snapshot() const;
  // The same for whoever looks at many, often.
  std::optional<Stall> FindStall(Instant now, const UpstreamView& upstream) const {
    return activity_.FindStall(environment_.stall_rules, now, upstream);
  }
  std::chrono::nanoseconds starting_for(Instant now) const { return activity_.starting_for(now); }

 private:
  Detached RunToEnd();
  void LogEnd() const;
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
  void FailTooLarge(size_t bytes);
  void RefuseToWait();
  bool deadline_passed() const;
  // Any thread. Nothing where the RPC has none.
  std::optional<std::chrono::nanoseconds> deadline_left() const;

  // How it was ended from outside; the code is OK if it was not.
  struct Interruption {
    TerminationCause cause = TerminationCause::kInternal;
    grpc_status_code code = GRPC_STATUS_OK;
  };
  Interruption interruption() const { return interruption_.load(std::memory_order_relaxed); }
  void Interrupt(Interruption interruption);

  const StreamId id_;
  RpcLoop& loop_;
  RpcEnvironment& environment_;
  RpcOwner& owner_;
  StreamActivity activity_;  // before the calls, which tell it what they do
  ServerCall downstream_;
  const std::string peer_;  // as long as the connection is there, core knows it
  CallAttempts upstream_;
  RpcRecorder recorder_;
  // Set when we end the RPC ourselves: this goes downstream in place of the upstream's status.
  std::optional<RpcStatus> own_status_;
  std::atomic<Interruption> interruption_{};
  std::atomic<bool> told_stuck_{false};
};

}  // namespace lanekeeper

// One forwarded RPC: two halves, two pumps, one ending. Owned by the registry; lives on one
// worker's loop and runs on its own fiber. Cancel and Snapshot may come from any thread. It ends
// when both of its streams have closed and both pumps have ended; then it leaves the registry and
// is destroyed between two steps of the loop. proxy/README.md tells its life step by step.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "config/config.h"
#include "proxy/base/task.h"
#include "proxy/grpc/framing.h"
#include "proxy/log/stream_log.h"
#include "proxy/observe/rpc_recorder.h"
#include "proxy/observe/stream_activity.h"
#include "proxy/rpc/admission.h"
#include "proxy/rpc/attempts.h"
#include "proxy/rpc/ending.h"
#include "proxy/rpc/pooled.h"
#include "proxy/rpc/start_request.h"

namespace lanekeeper {

class Executor;
class RpcShard;

// What a reload may change, on the loop's thread. An RPC goes by the message size that it began
// with.
struct RpcRules {
  uint64_t message_bytes_max;
  size_t response_metadata_bytes_max;
  const char* response_metadata_key;  // of the configuration, for texts
  AccessLog access_log;
};

// What every RPC of a worker shares. Outlives them all.
struct RpcEnvironment {
  EventLoop& loop;
  MetricShard& metrics;
  UpstreamChannel& channel;
  Executor& executor;
  RpcRules rules;
  RpcThreadKind thread_kind;
  CurrentStallRules stall_rules;
  // The time of day when the steady clock was at 0: once for all, so that the start of an RPC stays
  // the same whenever somebody looks.
  std::chrono::system_clock::time_point steady_epoch;
};

// A request as it goes upstream, once its header block has been judged.
struct Request {
  http2::FieldList fields;  // grpc-timeout as it came
  std::shared_ptr<const std::string> peer;
  std::optional<std::chrono::nanoseconds> timeout;
  int64_t content_length = -1;            // -1: not announced
  std::unique_ptr<const Ending> problem;  // why it must fail instead
  std::string_view method() const { return fields.Find(":path"); }
};

class Rpc final : public Pooled,
                  public Retired,
                  private http2::StreamObserver,
                  private PlaceObserver,
                  private StartRequest {
 public:
  Rpc(StreamId id, AdmittedPlace place, Request request, RpcEnvironment& environment,
      RpcShard& owner);
  Rpc(const Rpc&) = delete;
  Rpc& operator=(const Rpc&) = delete;
  ~Rpc() override;

  // The stream that the request came on; then Start.
  http2::Stream& downstream() { return downstream_; }
  // Runs on its fiber from the next turn of the ready list on; or waits for its turn to be let in.
  void Start();

  // Any thread, while the registry keeps the RPC alive. Ends it at once with this status, whatever
  // is being sent; or, if not `at_once`, behind what is being sent.
  void Cancel(Ending ending, bool at_once = true);
  // The same on the loop's thread.
  void Interrupt(const Ending& ending, bool at_once);

  StreamId id() const { return id_; }
  // Whether it was ended from outside. Any thread, as above.
  bool interrupted() const { return interrupted_.load(std::memory_order_relaxed); }
  // Any thread, as above. Its end gets a line in the log, as its being stuck has.
  void set_told_stuck() { told_stuck_.store(true, std::memory_order_relaxed); }
  // Any thread, as above: what it looks like now.
  StreamSnapshot Snapshot() const;
  // The same for whoever looks at many, often.
  std::optional<Stall> FindStall(Instant now) const;
  // Bytes of the upstream connection's window that it holds while that is spent.
  int64_t window_held() const { return upstream_.window_held(); }

  Pool& pool() { return environment_.loop.pool(); }

 private:
  // ---- rpc.cc
  void WaitForPlace();
  void LeaveQueue();
  void OnPlace() override;
  void SetDeadline();
  void OnDeadline();
  void OnClosed(http2::Stream& stream) override;
  void OnContractViolation(const char* operation) override;
  void OnSlot(http2::Connection& connection) override;
  void OnStartFailed(StatusCode code, std::string message) override;
  void FailWith(const Ending& ending, bool at_once);
  void SendEnding(const Ending& ending, bool at_once);
  void CloseUpstream(uint32_t code);
  void GiveUpStart();
  bool StartAgain();
  void UpstreamBroke();
  void FinishIfDone();
  // ---- rpc_pumps.cc
  Detached Run();
  Detached PumpRequests();
  Detached PumpResponses();
  void Begin();
  void EndRequests();
  bool Count(Direction direction, MessageCounter& counter, SliceQueue& bytes);
  void PassReset(uint32_t code);
  bool ForwardHeaders();
  void ForwardEnd();
  void RecordUpstreamStatus(const http2::FieldList& fields);
  void PumpEnded();
  // ---- rpc_outside.cc
  StreamWaits Waits() const;
  void LogEnd() const;
  std::optional<std::chrono::nanoseconds> deadline_left(Instant now) const;
  bool deadline_passed() const;

  AdmittedPlace place_;  // destroyed last, when all numbers have been settled
  const StreamId id_;
  RpcEnvironment& environment_;
  RpcShard& owner_;
  const Request request_;
  Fiber fiber_;
  StreamActivity activity_;
  RpcRecorder recorder_;
  http2::Stream downstream_;
  http2::Stream upstream_;
  Attempts attempts_;
  MessageCounter requests_;
  MessageCounter responses_;
  TimerOf<Rpc, &Rpc::OnDeadline> deadline_;
  Instant deadline_at_ = 0;      // 0: none
  uint8_t pumps_ = 0;            // that run
  bool requests_ended_ = false;  // also where the upstream stream was closed meanwhile
  bool ended_ = false;           // the ending is decided
  bool finished_ = false;
  bool grpc_response_ = false;  // its bytes are messages
  int http_status_ = 0;
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> told_stuck_{false};
};

}  // namespace lanekeeper

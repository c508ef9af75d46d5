// The workloads that are more than calls on connections that stay.
#pragma once

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "tests/bench/load/workload.h"

namespace bench {

// Opens the streams, one message there and back on each, says "ready", and holds them until
// standard input ends.
class IdleWorkload final : public StreamsWorkload {
 public:
  using StreamsWorkload::StreamsWorkload;

 private:
  // Standard input, until its end.
  class Input final : public EventHandler {
   public:
    bool ended() const { return ended_; }
    void Watch(EventLoop& loop);
    void OnEvents(uint32_t) override;

   private:
    bool ended_ = false;
  };

  void AfterRound() override;
  bool Holding() const override { return ready_ && !context_.stopping; }

  Input input_;
  bool ready_ = false;
};

// Short-lived connections, one per slot at a time, each for a few unary RPCs one after another. An
// RPC's latency has its connection's set-up in it if it is the first.
class ChurnWorkload final : public Workload {
 public:
  using Workload::Workload;
  ChurnWorkload(const Target& target, const LoadOptions& options, CallPlan plan);

 private:
  void Start() override;
  void AfterRound() override;
  void OnCallDone(Call& call, bool ok) override;
  void OpenConnection(size_t slot);

  std::vector<uint64_t> rpcs_left_;  // on the slot's connection
  std::vector<size_t> to_reopen_;    // slots
  std::vector<std::unique_ptr<Http2Connection>> closing_;
  uint64_t started_calls_ = 0;
};

}  // namespace bench

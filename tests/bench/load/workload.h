// What bench-load runs.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/bench/load/call.h"
#include "tests/bench/load/target.h"

namespace bench {

// As the command line gives them.
struct LoadOptions {
  std::string workload;
  size_t connections = 1;
  size_t streams = 1;
  uint32_t size = 100;
  double seconds = 0;  // 0: until `count` is used up
  uint64_t count = 0;  // 0: until the time is up
  uint64_t churn_rpcs = 10;
};

// One run of calls, at most `streams` at a time, each in a slot of its own. A slot whose call
// failed stays empty, so a broken peer costs an error per slot. Owns the loop and the
// connections; Run is called once, on the thread of everything else here.
class Workload : public CallOwner {
 public:
  // Throws std::runtime_error when the load cannot be run at all: nobody listens, or the peer
  // allows fewer streams than wanted. Whatever else goes wrong is in the results.
  Results Run();

 protected:
  Workload(const Target& target, const LoadOptions& options, CallPlan plan);

  virtual void Start() = 0;
  // Between rounds of the loop; the place to destroy connections.
  virtual void AfterRound() {}
  virtual bool Holding() const { return false; }  // waits for nothing of the peer

  void StartCall(size_t slot, const char* path, Http2Connection& connection, uint64_t first_message,
                 uint64_t started_ns);
  // Takes one from the count of RPCs to start; false when there are to be no more.
  bool TakeFromBudget();
  void Stop();
  void OnCallDone(Call& call, bool ok) override;

  const Target& target_;
  const LoadOptions options_;
  CallContext context_;
  EventLoop loop_;
  std::vector<std::unique_ptr<Http2Connection>> connections_;

 private:
  bool NoProgress() const;

  std::vector<Call*> calls_;  // by slot; the connections own them
  size_t open_calls_ = 0;
};

// All but churn: calls spread over connections that stay.
class StreamsWorkload : public Workload {
 public:
  StreamsWorkload(const Target& target, const LoadOptions& options, CallPlan plan)
      : Workload(target, options, std::move(plan)) {}

 protected:
  void Start() override;
  void OnCallDone(Call& call, bool ok) override;

 private:
  bool Connect();
  void StartNext(size_t slot, Http2Connection& connection);

  uint64_t started_calls_ = 0;
};

// Throws std::runtime_error for a workload that does not exist.
std::unique_ptr<Workload> NewWorkload(const Target& target, const LoadOptions& options);

}  // namespace bench

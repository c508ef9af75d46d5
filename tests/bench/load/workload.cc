#include "tests/bench/load/workload.h"

#include <algorithm>

namespace bench {
namespace {

constexpr uint64_t kPatienceNs = 10'000'000'000;
constexpr int kRoundMs = 50;  // how late a deadline may be seen when nothing else happens

}  // namespace

Workload::Workload(const Target& target, const LoadOptions& options, CallPlan plan)
    : target_(target), options_(options), context_(std::move(plan)), calls_(options.streams) {
  if (options_.count > 0) context_.budget = options_.count;
}

Results Workload::Run() {
  Results& results = context_.results;
  Start();
  const auto wanted_ns = static_cast<uint64_t>(options_.seconds * 1e9);
  while (open_calls_ > 0) {
    loop_.RunRound(kRoundMs);
    if (wanted_ns > 0 && loop_.now_ns() - results.started_ns >= wanted_ns) Stop();
    if (NoProgress()) {
      for (Call* call : calls_) {
        if (call != nullptr) call->Fail("no progress for 10 s");
      }
      break;
    }
    AfterRound();
  }
  return results;
}

bool Workload::NoProgress() const {
  return !Holding() && loop_.now_ns() - context_.results.last_progress_ns > kPatienceNs;
}

void Workload::Stop() {
  if (std::exchange(context_.stopping, true)) return;
  context_.results.last_progress_ns = loop_.now_ns();  // a hold is over
  for (Call* call : calls_) {
    if (call != nullptr) call->connection().Resume(*call);
  }
}

void Workload::StartCall(size_t slot, const char* path, Http2Connection& connection,
                         uint64_t first_message, uint64_t started_ns) {
  auto call =
      std::make_unique<Call>(loop_, context_, *this, connection, slot, first_message, started_ns);
  calls_[slot] = call.get();
  ++open_calls_;
  connection.OpenStream(target_.scheme(), path, std::move(call));
}

bool Workload::TakeFromBudget() {
  if (context_.stopping || context_.budget == 0) return false;
  --context_.budget;
  return true;
}

void Workload::OnCallDone(Call& call, bool) {
  calls_[call.slot()] = nullptr;
  --open_calls_;
}

void StreamsWorkload::Start() {
  if (!Connect()) return;
  context_.results.started_ns = context_.results.last_progress_ns = loop_.now_ns();
  for (size_t slot = 0; slot < options_.streams; ++slot) {
    StartNext(slot, *connections_[slot % connections_.size()]);
  }
}

// Until all peers have told their settings; false, and an error, when one of them does not.
bool StreamsWorkload::Connect() {
  const size_t count = std::min(options_.connections, options_.streams);
  for (size_t i = 0; i < count; ++i) connections_.push_back(target_.Connect(loop_));
  loop_.Tick();
  const uint64_t give_up_ns = loop_.now_ns() + kPatienceNs;
  const size_t per_connection = (options_.streams + count - 1) / count;
  for (const auto& connection : connections_) {
    while (!connection->closed() && !connection->peer_settings_known()) {
      loop_.RunRound(kRoundMs);
      if (loop_.now_ns() > give_up_ns) {
        context_.results.AddError("no SETTINGS within 10 s");
        return false;
      }
    }
    if (connection->closed()) {
      context_.results.AddError(connection->close_reason());
      return false;
    }
    const uint32_t allowed = connection->peer_concurrent_streams_max();
    if (allowed < per_connection) {
      throw std::runtime_error("the peer allows " + std::to_string(allowed) +
                               " streams per connection, " + std::to_string(per_connection) +
                               " are wanted; give more --connections");
    }
  }
  return true;
}

void StreamsWorkload::StartNext(size_t slot, Http2Connection& connection) {
  const char* path = "/bench.Echo/Stream";
  switch (context_.plan.kind) {
    case CallPlan::Kind::kEcho:
    case CallPlan::Kind::kHold:
      // Far apart, so that no two streams send the same messages.
      return StartCall(slot, path, connection, slot * 1'000'003, loop_.now_ns());
    case CallPlan::Kind::kUnary:
      path = "/bench.Echo/Unary";
      break;
    case CallPlan::Kind::kFanout:
      path = "/bench.Echo/Fanout";
  }
  if (TakeFromBudget()) StartCall(slot, path, connection, started_calls_++, loop_.now_ns());
}

void StreamsWorkload::OnCallDone(Call& call, bool ok) {
  Workload::OnCallDone(call, ok);
  const bool repeats =
      context_.plan.kind == CallPlan::Kind::kUnary || context_.plan.kind == CallPlan::Kind::kFanout;
  if (ok && repeats) StartNext(call.slot(), call.connection());
}

}  // namespace bench

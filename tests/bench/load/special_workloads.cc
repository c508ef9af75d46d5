#include "tests/bench/load/special_workloads.h"

#include <array>

namespace bench {
namespace {

constexpr char kUnaryPath[] = "/bench.Echo/Unary";

}  // namespace

void IdleWorkload::Input::Watch(EventLoop& loop) {
  try {
    loop.Watch(STDIN_FILENO, EPOLLIN, *this);
  } catch (const std::system_error&) {
    ended_ = true;  // a plain file, or none: nothing to wait for
  }
}

void IdleWorkload::Input::OnEvents(uint32_t) {
  std::array<char, 256> ignored;
  const ssize_t got = read(STDIN_FILENO, ignored.data(), ignored.size());
  ended_ = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

void IdleWorkload::AfterRound() {
  const Results& results = context_.results;
  if (!ready_ && results.messages / 2 + results.errors >= options_.streams) {
    ready_ = true;
    std::puts("ready");
    std::fflush(stdout);
    input_.Watch(loop_);
  }
  if (input_.ended()) Stop();
}

ChurnWorkload::ChurnWorkload(const Target& target, const LoadOptions& options, CallPlan plan)
    : Workload(target, options, std::move(plan)), rpcs_left_(options.streams) {
  connections_.resize(options.streams);
}

void ChurnWorkload::Start() {
  context_.results.started_ns = context_.results.last_progress_ns = loop_.now_ns();
  for (size_t slot = 0; slot < options_.streams; ++slot) OpenConnection(slot);
}

void ChurnWorkload::OpenConnection(size_t slot) {
  if (!TakeFromBudget()) return;
  loop_.Tick();
  const uint64_t started_ns = loop_.now_ns();
  try {
    connections_[slot] = target_.Connect(loop_);
  } catch (const std::runtime_error& error) {
    if (started_calls_ == 0) throw;  // nobody listens
    return context_.results.AddError(error.what());
  }
  rpcs_left_[slot] = options_.churn_rpcs - 1;
  StartCall(slot, kUnaryPath, *connections_[slot], started_calls_++, started_ns);
}

void ChurnWorkload::OnCallDone(Call& call, bool ok) {
  Workload::OnCallDone(call, ok);
  const size_t slot = call.slot();
  if (!ok) return;
  if (rpcs_left_[slot] > 0 && TakeFromBudget()) {
    --rpcs_left_[slot];
    return StartCall(slot, kUnaryPath, call.connection(), started_calls_++, loop_.now_ns());
  }
  to_reopen_.push_back(slot);
}

void ChurnWorkload::AfterRound() {
  std::erase_if(closing_, [](const auto& connection) { return connection->closed(); });
  for (const size_t slot : std::exchange(to_reopen_, {})) {
    connections_[slot]->CloseGracefully();
    closing_.push_back(std::move(connections_[slot]));
    OpenConnection(slot);
  }
}

std::unique_ptr<Workload> NewWorkload(const Target& target, const LoadOptions& options) {
  using Kind = CallPlan::Kind;
  constexpr size_t kBulkWindow = 64;
  const std::string& name = options.workload;
  const MessageSizes sizes(options.size, name == "mixed");
  const auto streams = [&](Kind kind, size_t window) {
    return std::make_unique<StreamsWorkload>(target, options, CallPlan{kind, window, sizes});
  };
  if (name == "unary") return streams(Kind::kUnary, 1);
  if (name == "ping_pong") return streams(Kind::kEcho, 1);
  if (name == "bulk" || name == "mixed") return streams(Kind::kEcho, kBulkWindow);
  if (name == "fanout") return streams(Kind::kFanout, 1);
  const CallPlan unary{Kind::kUnary, 1, sizes};
  if (name == "churn") return std::make_unique<ChurnWorkload>(target, options, unary);
  if (name == "idle") {
    return std::make_unique<IdleWorkload>(target, options, CallPlan{Kind::kHold, 1, sizes});
  }
  throw std::runtime_error("no such workload: " + name);
}

}  // namespace bench

// What counting costs: an RPC from start to end, an operation of a lane, one observed duration.
#include <benchmark/benchmark.h>

#include "proxy/observe/rpc_recorder.h"
#include "proxy/observe/stream_activity.h"
#include "tests/bench/micro/kernel.h"

namespace lanekeeper {
namespace {

LANEKEEPER_KERNEL void KernelRpcRecorder(MetricShard& shard, const LoopClock& clock) {
  RpcRecorder recorder(shard, clock, "/shop.Orders/Get");
  recorder.End(TerminationCause::kUpstreamStatus, static_cast<int>(StatusCode::kOk));
}

LANEKEEPER_KERNEL void KernelLaneRecorder(LaneRecorder& lane) {
  lane.Started();
  lane.Completed();
}

LANEKEEPER_KERNEL void KernelDurationCells(WaitCells& waits, std::chrono::nanoseconds took) {
  waits.Observe(took);
}

// The same for all rounds of a benchmark.
struct Thread {
  MethodLabels labels{200};
  MetricShard shard{labels};
  LoopClock clock;
};

void RecordRpc(benchmark::State& state) {
  Thread thread;
  for (auto _ : state) KernelRpcRecorder(thread.shard, thread.clock);
  if (thread.shard.streams_open.Get() != 0) state.SkipWithError("not settled");
}
BENCHMARK(RecordRpc)->Name("recorder/rpc");

void RecordOperation(benchmark::State& state) {
  Thread thread;
  LaneCells cells;
  LaneRecorder lane(thread.clock, cells);
  for (auto _ : state) KernelLaneRecorder(lane);
  if (cells.in_flight.Get() != 0) state.SkipWithError("not settled");
}
BENCHMARK(RecordOperation)->Name("recorder/operation");

void RecordDuration(benchmark::State& state) {
  WaitCells waits;
  for (auto _ : state) KernelDurationCells(waits, std::chrono::microseconds(700));
  if (waits.nanoseconds.Get() == 0) state.SkipWithError("nothing observed");
}
BENCHMARK(RecordDuration)->Name("recorder/duration");

}  // namespace
}  // namespace lanekeeper

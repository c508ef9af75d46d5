// What looking at one stream costs: its two lanes and whether it is stuck, and its line as JSON.
#include <benchmark/benchmark.h>

#include "proxy/admin/proto_conversion.h"
#include "proxy/observe/stream_activity.h"
#include "tests/bench/micro/kernel.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;

LANEKEEPER_KERNEL int64_t KernelStreamLook(const StreamActivity& stream, Instant now) {
  StreamWaits waits;
  waits.connected = true;
  const LaneSnapshot up = stream.Look(Direction::kToUpstream, now, waits);
  const LaneSnapshot down = stream.Look(Direction::kToDownstream, now, waits);
  return up.messages + down.messages + (stream.FindStall({30s, 30s}, now, waits) ? 1 : 0);
}

size_t JsonSize(const StreamSnapshot& snapshot) {
  adminpb::Stream stream;
  ToProto(snapshot, &stream);
  return ToJson(stream)->size();
}

LANEKEEPER_KERNEL size_t KernelStreamJson(const StreamSnapshot& snapshot) {
  return JsonSize(snapshot);
}

void StreamLook(benchmark::State& state) {
  MethodLabels labels(200);
  MetricShard shard(labels);
  LoopClock clock;
  StreamActivity stream(shard, clock);
  stream.way(Direction::kToUpstream).receive.Started();
  stream.way(Direction::kToDownstream).receive.Started();
  const Instant now = InstantNow();
  for (auto _ : state) {
    if (KernelStreamLook(stream, now) != 0) state.SkipWithError("an idle stream has moved");
  }
}
BENCHMARK(StreamLook)->Name("stream_listing/look");

void StreamJson(benchmark::State& state) {
  StreamSnapshot snapshot;
  snapshot.id = 123456;
  snapshot.method = "/shop.Orders/Watch";
  snapshot.downstream_peer = "ipv4:127.0.0.1:34567";
  // Fixed: digits cost.
  snapshot.started = std::chrono::system_clock::time_point(1'700'000'000'123ms);
  snapshot.age = 61s;
  snapshot.to_upstream.messages = snapshot.to_downstream.messages = 1000;
  benchmark::DoNotOptimize(JsonSize(snapshot));  // the first one makes protobuf's tables
  for (auto _ : state) {
    if (KernelStreamJson(snapshot) < 100) state.SkipWithError("no JSON");
  }
}
BENCHMARK(StreamJson)->Name("stream_listing/json");

}  // namespace
}  // namespace lanekeeper

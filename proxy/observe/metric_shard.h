// The numbers of one worker, which is their only writer; a scrape reads all shards and sums them,
// so nothing is shared between cores on the way. Metrics owns the shard.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/base/words.h"
#include "proxy/observe/cell.h"
#include "proxy/observe/method_labels.h"
#include "proxy/observe/termination.h"

namespace lanekeeper {

enum class Direction { kToUpstream, kToDownstream };
template <>
inline constexpr auto kLabels<Direction> = std::to_array<Named<Direction>>(
    {{"to_upstream", Direction::kToUpstream}, {"to_downstream", Direction::kToDownstream}});

enum class StreamOp { kReceive, kSend };
template <>
inline constexpr auto kLabels<StreamOp> =
    std::to_array<Named<StreamOp>>({{"receive", StreamOp::kReceive}, {"send", StreamOp::kSend}});

// Upper bounds of grpc_server_handling_seconds: from loopback unary calls to streams that live for
// hours.
inline constexpr std::array<double, 16> kHandlingBuckets = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600, 3600, 21600};

// Upper bounds of what one thing waits for another.
inline constexpr std::array<double, 14> kWaitBuckets = {
    0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 600, 3600};
using WaitCells = DurationCells<kWaitBuckets>;

// Upper bounds of lanekeeper_worker_loop_lag_seconds.
inline constexpr std::array<double, 10> kLagBuckets = {0.0001, 0.0005, 0.001, 0.0025, 0.005,
                                                       0.01,   0.025,  0.05,  0.1,    1};

// What the numbers of a stream's operations are told apart by. The start of an RPC upstream, which
// waits for a stream slot or a connection, is the first send to it.
enum class LaneWait { kReceive, kSend, kStart };
inline constexpr size_t kLaneWaits = 3;
struct LaneCells {
  Cell in_flight;
  WaitCells waits;
};

// Status codes 0 to 16 by number, and one place for codes that gRPC does not define.
inline constexpr size_t kStatusCodes = 18;
inline constexpr size_t kUnknownStatusCode = 17;

// Of one thread, or the sum of several.
struct MethodCells {
  void Add(const MethodCells& other) {
    started.Add(other.started.Get());
    messages_received.Add(other.messages_received.Get());
    messages_sent.Add(other.messages_sent.Get());
    for (size_t i = 0; i < kStatusCodes; ++i) handled[i].Add(other.handled[i].Get());
    handling.Add(other.handling);
  }

  Cell started;
  Cell messages_received;  // from the downstream
  Cell messages_sent;      // to the downstream
  std::array<Cell, kStatusCodes> handled;
  DurationCells<kHandlingBuckets> handling;
};

class MetricShard {
 public:
  explicit MetricShard(MethodLabels& labels) : labels_(labels) {}

  // The cells of a method, by its path from the wire. Only the owning thread; stays valid.
  MethodCells& ForMethod(std::string_view path);

  // Calls visit(id, cells) for each method seen here. Any thread.
  template <class Visitor>
  void VisitMethods(Visitor&& visit) const {
    std::lock_guard lock(methods_mutex_);
    for (MethodLabels::Id id = 0; id < methods_.size(); ++id) {
      if (methods_[id] != nullptr) visit(id, *methods_[id]);
    }
  }

  LaneCells& lane(Direction direction, LaneWait wait) {
    return lanes_[static_cast<size_t>(direction)][static_cast<size_t>(wait)];
  }
  // LaneWait::kStart of to_upstream is lanekeeper_upstream_start_wait_seconds too.
  const WaitCells& waits(Direction direction, LaneWait wait) const {
    return lanes_[static_cast<size_t>(direction)][static_cast<size_t>(wait)].waits;
  }
  int64_t ops_in_flight(Direction direction, StreamOp op) const {
    const auto& lanes = lanes_[static_cast<size_t>(direction)];
    const auto in_flight = [&](LaneWait wait) {
      return lanes[static_cast<size_t>(wait)].in_flight.Get();
    };
    if (op == StreamOp::kReceive) return in_flight(LaneWait::kReceive);
    return in_flight(LaneWait::kSend) + in_flight(LaneWait::kStart);
  }

  Cell streams_open;
  std::array<Cell, 2> messages;       // by Direction
  std::array<Cell, 2> message_bytes;  // by Direction
  std::array<Cell, kTerminationCauses> terminated;
  std::array<Cell, kRejectReasons> rejected;
  Cell contract_violations;
  Cell reserved_flags;
  Cell upstream_retries;
  Cell streams_half_closed;
  WaitCells queue_waits;  // in limits.queue
  DurationCells<kLagBuckets> loop_lag;

 private:
  MethodCells& CellsOf(MethodLabels::Id id);

  MethodLabels& labels_;
  std::array<std::array<LaneCells, kLaneWaits>, 2> lanes_;  // by Direction and LaneWait
  std::unordered_map<std::string, MethodLabels::Id, StringHash, std::equal_to<>> ids_;
  // The one that was asked for last: most often it is the next one too.
  std::string_view last_path_;
  MethodCells* last_cells_ = nullptr;
  // Guards the vector against a scrape while it grows; the cells need no lock.
  mutable std::mutex methods_mutex_;
  std::vector<std::unique_ptr<MethodCells>> methods_;
};

}  // namespace lanekeeper

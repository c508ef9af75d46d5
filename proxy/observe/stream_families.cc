#include <array>
#include <string>
#include <utility>

#include "proxy/observe/metrics.h"
#include "proxy/observe/stream_snapshot.h"

namespace lanekeeper {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

// What lanekeeper_stream_op_wait_seconds tells apart.
struct OpWait {
  Direction direction;
  LaneWait wait;
  WaitingFor waiting_for;

  StreamOp op() const { return wait == LaneWait::kReceive ? StreamOp::kReceive : StreamOp::kSend; }
};
constexpr std::array<OpWait, 5> kOpWaits = {
    {{Direction::kToUpstream, LaneWait::kReceive, WaitingFor::kSender},
     {Direction::kToUpstream, LaneWait::kStart, WaitingFor::kStreamSlot},
     {Direction::kToUpstream, LaneWait::kSend, WaitingFor::kReceiver},
     {Direction::kToDownstream, LaneWait::kReceive, WaitingFor::kSender},
     {Direction::kToDownstream, LaneWait::kSend, WaitingFor::kReceiver}}};

class Collector {
 public:
  Collector(const Metrics& metrics, std::vector<MetricFamily>& families)
      : metrics_(metrics), families_(families) {}

  // A family of one value.
  template <class Read>
  void One(std::string name, std::string help, MetricType type, Read read) {
    MetricFamily family = MakeFamily(std::move(name), std::move(help), type);
    AddValue(family, {}, Sum(read));
    families_.push_back(std::move(family));
  }

  // A counter of each value of an enumeration.
  template <class Enum, class CellsOf>
  void ByEnum(std::string name, std::string help, const char* label, CellsOf cells_of) {
    MetricFamily family = MakeFamily(std::move(name), std::move(help), MetricType::Counter);
    for (const Named<Enum>& one : kLabels<Enum>) {
      AddValue(family, {{label, std::string(one.name)}}, Sum([&](const MetricShard& s) {
                 return cells_of(s)[static_cast<size_t>(one.value)].Get();
               }));
    }
    families_.push_back(std::move(family));
  }

  template <const auto& kBounds, class CellsOf>
  void AddTotals(MetricFamily& family, MetricLabels labels, CellsOf cells_of) {
    DurationCells<kBounds> totals;
    metrics_.ForEachShard([&](const MetricShard& s) { totals.Add(cells_of(s)); });
    AddHistogram(family, std::move(labels), totals.Histogram());
  }

  // A histogram without labels.
  template <const auto& kBounds, class CellsOf>
  void Histogram(std::string name, std::string help, CellsOf cells_of) {
    MetricFamily family = MakeFamily(std::move(name), std::move(help), MetricType::Histogram);
    AddTotals<kBounds>(family, {}, cells_of);
    families_.push_back(std::move(family));
  }

  void OpsInFlight();
  void OpWaits();

 private:
  template <class Read>
  double Sum(Read read) const {
    return static_cast<double>(metrics_.Sum(read));
  }

  const Metrics& metrics_;
  std::vector<MetricFamily>& families_;
};

void Collector::OpsInFlight() {
  MetricFamily family =
      MakeFamily("lanekeeper_stream_ops_in_flight",
                 "Receives and sends that have been started and wait to complete, by direction.",
                 MetricType::Gauge);
  for (const auto& [direction_name, direction] : kLabels<Direction>) {
    for (const auto& [op_name, op] : kLabels<StreamOp>) {
      AddValue(family, {{"direction", std::string(direction_name)}, {"op", std::string(op_name)}},
               Sum([&, direction = direction, op = op](const MetricShard& s) {
                 return s.ops_in_flight(direction, op);
               }));
    }
  }
  families_.push_back(std::move(family));
}

void Collector::OpWaits() {
  MetricFamily family = MakeFamily(
      "lanekeeper_stream_op_wait_seconds",
      "Time that receives and sends took to complete, by direction and by what they waited for.",
      MetricType::Histogram);
  for (const OpWait& wait : kOpWaits) {
    AddTotals<kWaitBuckets>(
        family,
        {{"direction", ToLabel(wait.direction)},
         {"op", ToLabel(wait.op())},
         {"waiting_for", ToLabel(wait.waiting_for)}},
        [&](const MetricShard& s) -> auto& { return s.waits(wait.direction, wait.wait); });
  }
  families_.push_back(std::move(family));
}

}  // namespace

void Metrics::CollectStreams(std::vector<MetricFamily>& families) const {
  Collector collect(*this, families);
  collect.One("lanekeeper_streams_open", "RPCs that are open now.", MetricType::Gauge,
              [](const MetricShard& s) { return s.streams_open.Get(); });
  collect.One("lanekeeper_streams_half_closed",
              "Open RPCs whose requests have ended while the upstream may go on.",
              MetricType::Gauge, [](const MetricShard& s) { return s.streams_half_closed.Get(); });
  collect.OpsInFlight();
  collect.OpWaits();
  collect.ByEnum<Direction>("lanekeeper_stream_messages_total", "Messages forwarded, by direction.",
                            "direction", [](const MetricShard& s) -> auto& { return s.messages; });
  collect.ByEnum<Direction>(
      "lanekeeper_stream_message_bytes_total",
      "Bytes of the messages forwarded, as on the wire without framing, by direction.", "direction",
      [](const MetricShard& s) -> auto& { return s.message_bytes; });
  collect.Histogram<kWaitBuckets>(
      "lanekeeper_upstream_start_wait_seconds",
      "Time from the start of an RPC upstream until its headers left, which takes a connection and "
      "a stream that the upstream allows, or until the RPC ended.",
      [](const MetricShard& s) -> auto& {
        return s.waits(Direction::kToUpstream, LaneWait::kStart);
      });
  collect.Histogram<kWaitBuckets>(
      "lanekeeper_queue_wait_seconds",
      "Time that RPCs waited in limits.queue until another ended, or until they themselves did.",
      [](const MetricShard& s) -> auto& { return s.queue_waits; });
  collect.Histogram<kLagBuckets>(
      "lanekeeper_worker_loop_lag_seconds",
      "How late the loops that take RPCs do what is due, measured twice a second.",
      [](const MetricShard& s) -> auto& { return s.loop_lag; });
  collect.One("lanekeeper_upstream_retries_total",
              "RPCs started again on another connection because the upstream had not processed "
              "them.",
              MetricType::Counter, [](const MetricShard& s) { return s.upstream_retries.Get(); });
  collect.ByEnum<TerminationCause>("lanekeeper_streams_terminated_total",
                                   "RPCs that ended, by the cause of their end.", "cause",
                                   [](const MetricShard& s) -> auto& { return s.terminated; });
  collect.ByEnum<RejectReason>("lanekeeper_rpcs_rejected_total", "RPCs refused at once, by reason.",
                               "reason", [](const MetricShard& s) -> auto& { return s.rejected; });
  collect.One(
      "lanekeeper_stream_contract_violations_total",
      "Second sends or receives in one direction of a stream: a bug of lanekeeper, always 0.",
      MetricType::Counter, [](const MetricShard& s) { return s.contract_violations.Get(); });
  collect.One("lanekeeper_stream_reserved_flags_total",
              "Messages whose flag byte has a bit set that gRPC reserves; they pass.",
              MetricType::Counter, [](const MetricShard& s) { return s.reserved_flags.Get(); });
}

}  // namespace lanekeeper

#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/app.h"

namespace lanekeeper {
namespace {

bool Matches(const StreamSnapshot& stream, const StreamFilter& filter) {
  if (stream.method.find(filter.method) == std::string::npos) return false;
  if (stream.downstream_peer.find(filter.peer) == std::string::npos) return false;
  if (stream.age < filter.min_age) return false;
  if (filter.stuck && !stream.stall) return false;
  return !filter.state || stream.to_upstream.state == *filter.state ||
         stream.to_downstream.state == *filter.state;
}

bool Older(const StreamSnapshot& a, const StreamSnapshot& b) { return a.id < b.id; }

}  // namespace

// A shard shows its oldest first, so of those that match the page holds the oldest: as a heap,
// whose front is the youngest of them.
StreamPage App::ListStreams(const StreamFilter& filter, StreamId after, size_t max) {
  StreamPage page;
  registry_.ForEach([&](Rpc& rpc) {
    StreamSnapshot stream = rpc.Snapshot();
    if (!Matches(stream, filter)) return;
    ++page.matching;
    if (stream.id <= after) return;
    std::vector<StreamSnapshot>& streams = page.streams;
    if (streams.size() == max) {
      page.more = true;
      if (streams.empty() || Older(streams.front(), stream)) return;
      std::pop_heap(streams.begin(), streams.end(), Older);
      streams.pop_back();
    }
    streams.push_back(std::move(stream));
    std::push_heap(streams.begin(), streams.end(), Older);
  });
  std::sort(page.streams.begin(), page.streams.end(), Older);
  for (StreamSnapshot& stream : page.streams) NameWindowHolders(stream);
  return page;
}

std::optional<StreamSnapshot> App::FindStream(StreamId id) {
  std::optional<StreamSnapshot> stream;
  registry_.Find(id, [&](Rpc& rpc) { stream = rpc.Snapshot(); });
  if (stream) NameWindowHolders(*stream);
  return stream;
}

// Those for whom it waits when the upstream's connection window is spent.
void App::NameWindowHolders(StreamSnapshot& stream) const {
  if (!stream.stall || stream.stall->kind != StallKind::kUpstreamWindow) return;
  stream.window_holders = stuck_detector_.window_holders();
}

std::optional<StreamSnapshot> App::CancelStream(StreamId id, const std::string& reason) {
  std::string message = "lanekeeper: cancelled by an operator";
  if (!reason.empty()) message += ": " + reason;
  std::optional<StreamSnapshot> stream;
  registry_.Find(id, [&](Rpc& rpc) {
    stream = rpc.Snapshot();
    rpc.Cancel({TerminationCause::kOperator, StatusCode::kCancelled, message});
  });
  return stream;
}

StreamTotals App::Totals() {
  const auto sum = [this](auto&& read) {
    return static_cast<uint64_t>(std::max<int64_t>(metrics_.Sum(read), 0));
  };
  const auto of = [](const auto& cells, Direction direction) {
    return cells[static_cast<size_t>(direction)].Get();
  };
  constexpr auto kToUpstream = Direction::kToUpstream;
  constexpr auto kToDownstream = Direction::kToDownstream;

  StreamTotals totals;
  totals.streams_open = static_cast<uint64_t>(registry_.open());
  totals.streams_half_closed =
      sum([](const MetricShard& s) { return s.streams_half_closed.Get(); });
  // As the list shows it, and not as the detector saw it when it looked last.
  registry_.ForEach([&](Rpc& rpc) {
    if (rpc.FindStall(InstantNow())) ++totals.streams_stuck;
  });
  totals.streams_awaiting_upstream = static_cast<uint64_t>(channel_.waiting());
  totals.downstream_connections = static_cast<uint64_t>(listener_.connections());
  totals.upstream_connections = static_cast<uint64_t>(channel_.connections());
  totals.upstream_state = ToLabel(channel_.state());
  totals.rpcs_started = sum([](const MetricShard& s) {
    int64_t started = 0;
    s.VisitMethods([&](MethodLabels::Id, const MethodCells& m) { started += m.started.Get(); });
    return started;
  });
  totals.messages_to_upstream =
      sum([&](const MetricShard& s) { return of(s.messages, kToUpstream); });
  totals.messages_to_downstream =
      sum([&](const MetricShard& s) { return of(s.messages, kToDownstream); });
  totals.bytes_to_upstream =
      sum([&](const MetricShard& s) { return of(s.message_bytes, kToUpstream); });
  totals.bytes_to_downstream =
      sum([&](const MetricShard& s) { return of(s.message_bytes, kToDownstream); });
  totals.draining = readiness_.state() == Readiness::State::kDraining;
  return totals;
}

bool App::RequestDrain() {
  if (!request_drain_) return false;
  // Once is enough.
  if (!drain_requested_.exchange(true) && readiness_.state() != Readiness::State::kDraining)
    request_drain_();
  return true;
}

}  // namespace lanekeeper

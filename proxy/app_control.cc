#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/app.h"
#include "proxy/base/text.h"

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

adminpb::Totals App::Totals() {
  const auto sum = [this](auto&& read) {
    return static_cast<uint64_t>(std::max<int64_t>(metrics_.Sum(read), 0));
  };
  const auto messages = [&](Direction direction) {
    return sum(
        [&](const MetricShard& s) { return s.messages[static_cast<size_t>(direction)].Get(); });
  };
  const auto bytes = [&](Direction direction) {
    return sum([&](const MetricShard& s) {
      return s.message_bytes[static_cast<size_t>(direction)].Get();
    });
  };
  // As the list shows it, and not as the detector saw it when it looked last.
  uint64_t stuck = 0;
  registry_.ForEach([&](Rpc& rpc) {
    if (rpc.FindStall(InstantNow())) ++stuck;
  });

  adminpb::Totals totals;
  totals.set_streams_open(static_cast<uint64_t>(registry_.open()));
  totals.set_streams_half_closed(
      sum([](const MetricShard& s) { return s.streams_half_closed.Get(); }));
  totals.set_streams_stuck(stuck);
  totals.set_streams_awaiting_upstream(static_cast<uint64_t>(channel_.waiting()));
  totals.set_downstream_connections(static_cast<uint64_t>(listener_.connections()));
  totals.set_upstream_connections(static_cast<uint64_t>(channel_.connections()));
  totals.set_upstream_state(ToLabel(channel_.state()));
  const Config config = reloader_.config();
  totals.set_upstream_address(Printable(config.upstream.address));
  totals.set_read_only(config.admin.read_only);
  totals.set_rpcs_started(sum([](const MetricShard& s) {
    int64_t started = 0;
    s.VisitMethods([&](MethodLabels::Id, const MethodCells& m) { started += m.started.Get(); });
    return started;
  }));
  totals.set_messages_to_upstream(messages(Direction::kToUpstream));
  totals.set_messages_to_downstream(messages(Direction::kToDownstream));
  totals.set_bytes_to_upstream(bytes(Direction::kToUpstream));
  totals.set_bytes_to_downstream(bytes(Direction::kToDownstream));
  totals.set_draining(readiness_.state() == Readiness::State::kDraining);
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

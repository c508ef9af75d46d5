#include "proxy/admin/stream_diff.h"

#include <optional>
#include <utility>

namespace lanekeeper {
namespace {

using ::lanekeeper::admin::v1::StreamEvent;

bool Differs(const LaneSnapshot& a, const LaneSnapshot& b) {
  return a.messages != b.messages || a.state != b.state || a.waiting_for != b.waiting_for;
}

// Another reason to be stuck is news as well.
bool HasBecomeStuck(const std::optional<Stall>& before, const std::optional<Stall>& now) {
  if (!now) return false;
  return !before || before->kind != now->kind || before->direction != now->direction;
}

std::optional<StreamDiff::Kind> Compare(const StreamSnapshot& before, const StreamSnapshot& now) {
  if (HasBecomeStuck(before.stall, now.stall)) return StreamEvent::STUCK;
  if (before.stall && !now.stall) return StreamEvent::MOVING;
  if (Differs(before.to_upstream, now.to_upstream) ||
      Differs(before.to_downstream, now.to_downstream) || before.attempts != now.attempts ||
      before.answered != now.answered) {
    return StreamEvent::CHANGED;
  }
  return std::nullopt;
}

}  // namespace

void StreamDiff::Look(std::vector<StreamSnapshot> now, const OnEvent& on_event) {
  auto before = last_.begin();
  for (const StreamSnapshot& stream : now) {
    for (; before != last_.end() && before->id < stream.id; ++before) {
      on_event(StreamEvent::ENDED, *before);
    }
    if (before == last_.end() || before->id != stream.id) {
      on_event(StreamEvent::OPENED, stream);
      continue;
    }
    if (const auto kind = Compare(*before, stream)) on_event(*kind, stream);
    ++before;
  }
  for (; before != last_.end(); ++before) on_event(StreamEvent::ENDED, *before);
  last_ = std::move(now);
}

}  // namespace lanekeeper

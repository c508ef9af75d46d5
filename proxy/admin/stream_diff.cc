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

void TellUnlisted(const StreamSnapshot& before, const StreamDiff::Find& find,
                  const StreamDiff::OnEvent& on_event) {
  const std::optional<StreamSnapshot> now = find(before.id);
  if (!now) return on_event(StreamEvent::ENDED, before);
  on_event(Compare(before, *now).value_or(StreamEvent::CHANGED), *now);
}

}  // namespace

void StreamDiff::Look(std::vector<StreamSnapshot> now, const Find& find, const OnEvent& on_event) {
  const bool first = !last_;
  const std::vector<StreamSnapshot> last = std::move(last_).value_or(std::vector<StreamSnapshot>());
  auto before = last.begin();
  for (const StreamSnapshot& stream : now) {
    for (; before != last.end() && before->id < stream.id; ++before) {
      TellUnlisted(*before, find, on_event);
    }
    if (before == last.end() || before->id != stream.id) {
      on_event(stream.stall && !first ? StreamEvent::STUCK : StreamEvent::OPENED, stream);
      continue;
    }
    if (const auto kind = Compare(*before, stream)) on_event(*kind, stream);
    ++before;
  }
  for (; before != last.end(); ++before) TellUnlisted(*before, find, on_event);
  last_ = std::move(now);
}

}  // namespace lanekeeper

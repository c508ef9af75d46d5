// What has changed among the open streams between two looks at them. Owns the last look. One
// thread at a time; ends with its owner.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "protos/lanekeeper/admin/v1/admin.pb.h"
#include "proxy/observe/stream_snapshot.h"

namespace lanekeeper {

class StreamDiff {
 public:
  using Kind = ::lanekeeper::admin::v1::StreamEvent::Kind;
  using OnEvent = std::function<void(Kind kind, const StreamSnapshot& stream)>;

  // What an open stream looks like now, listed or not.
  using Find = std::function<std::optional<StreamSnapshot>(StreamId id)>;

  // `now` in ascending order of ids, as Control lists them. At most one event for each stream. One
  // that is listed anew because it is stuck is STUCK. One that is no longer listed is told as it is
  // now where it is still open, and has ENDED, with what it was like at the last look, where not.
  void Look(std::vector<StreamSnapshot> now, const Find& find, const OnEvent& on_event);

 private:
  std::optional<std::vector<StreamSnapshot>> last_;  // none before the first look
};

}  // namespace lanekeeper

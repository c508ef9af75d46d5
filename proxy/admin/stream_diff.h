// What has changed among the open streams between two looks at them. Owns the last look. One
// thread at a time; ends with its owner.
#pragma once

#include <functional>
#include <vector>

#include "protos/lanekeeper/admin/v1/admin.pb.h"
#include "proxy/rpc/stream_snapshot.h"

namespace lanekeeper {

class StreamDiff {
 public:
  using Kind = ::lanekeeper::admin::v1::StreamEvent::Kind;
  using OnEvent = std::function<void(Kind kind, const StreamSnapshot& stream)>;

  // `now` in ascending order of ids, as Control lists them. At most one event for each stream; one
  // that is no longer listed has ENDED, with what it was like at the last look.
  void Look(std::vector<StreamSnapshot> now, const OnEvent& on_event);

 private:
  std::vector<StreamSnapshot> last_;
};

}  // namespace lanekeeper

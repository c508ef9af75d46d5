#include "proxy/observe/metric_shard.h"

namespace lanekeeper {

MethodCells& MetricShard::ForMethod(std::string_view path) {
  MethodLabels::Id id = MethodLabels::kOther;
  if (auto known = ids_.find(path); known != ids_.end()) {
    id = known->second;
  } else {
    id = labels_.Intern(path);
    // Paths that share "other" are not remembered: their number has no bound.
    if (id != MethodLabels::kOther) ids_.emplace(path, id);
  }
  if (id < methods_.size() && methods_[id] != nullptr) return *methods_[id];
  std::lock_guard lock(methods_mutex_);
  if (id >= methods_.size()) methods_.resize(id + 1);
  methods_[id] = std::make_unique<MethodCells>();
  return *methods_[id];
}

}  // namespace lanekeeper

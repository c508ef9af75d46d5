#include "proxy/observe/metric_shard.h"

namespace lanekeeper {

MethodCells& MetricShard::ForMethod(std::string_view path) {
  if (last_cells_ != nullptr && path == last_path_) return *last_cells_;
  auto known = ids_.find(path);
  if (known == ids_.end()) {
    const MethodLabels::Id id = labels_.Intern(path);
    // Paths that share "other" are not remembered: their number has no bound.
    if (id == MethodLabels::kOther) return CellsOf(id);
    known = ids_.emplace(path, id).first;
  }
  last_path_ = known->first;
  last_cells_ = &CellsOf(known->second);
  return *last_cells_;
}

MethodCells& MetricShard::CellsOf(MethodLabels::Id id) {
  if (id < methods_.size() && methods_[id] != nullptr) return *methods_[id];
  std::lock_guard lock(methods_mutex_);
  if (id >= methods_.size()) methods_.resize(id + 1);
  methods_[id] = std::make_unique<MethodCells>();
  return *methods_[id];
}

}  // namespace lanekeeper

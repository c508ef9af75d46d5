#include "proxy/observe/method_labels.h"

#include <algorithm>
#include <optional>

namespace lanekeeper {
namespace {

// A label value must be valid UTF-8 and short; real methods are printable ASCII.
constexpr size_t kMaxPathBytes = 256;

std::optional<MethodLabel> Split(std::string_view path) {
  const auto printable = [](unsigned char c) { return c > 0x20 && c < 0x7f; };
  if (path.size() > kMaxPathBytes || !std::all_of(path.begin(), path.end(), printable)) return {};
  const size_t slash = path.rfind('/');
  if (path.empty() || path[0] != '/' || slash < 2 || slash + 1 == path.size()) return {};
  return MethodLabel{std::string(path.substr(1, slash - 1)), std::string(path.substr(slash + 1))};
}

}  // namespace

MethodLabels::MethodLabels(int max_methods)
    : max_methods_(static_cast<size_t>(max_methods)), labels_{{"other", "other"}} {}

MethodLabels::Id MethodLabels::Intern(std::string_view path) {
  std::lock_guard lock(mutex_);
  if (auto known = ids_.find(path); known != ids_.end()) return known->second;
  if (ids_.size() >= max_methods_) return kOther;
  std::optional<MethodLabel> label = Split(path);
  if (!label) return kOther;
  const Id id = labels_.size();
  labels_.push_back(std::move(*label));
  ids_.emplace(path, id);
  return id;
}

void MethodLabels::SetMax(int max_methods) {
  std::lock_guard lock(mutex_);
  max_methods_ = static_cast<size_t>(max_methods);
}

MethodLabel MethodLabels::Label(Id id) const {
  std::lock_guard lock(mutex_);
  return labels_[id];
}

}  // namespace lanekeeper

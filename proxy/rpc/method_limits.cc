#include "proxy/rpc/method_limits.h"

#include <algorithm>
#include <utility>

namespace lanekeeper {

void MethodLimits::Set(const std::vector<MethodLimitConfig>& methods) {
  std::vector<Entry> before = std::exchange(entries_, {});
  methods_.clear();
  services_.clear();
  any_.reset();
  for (size_t i = 0; i < methods.size(); ++i) {
    const std::string& match = methods[i].match;
    const auto same = std::find_if(before.begin(), before.end(),
                                   [&](const Entry& entry) { return entry.match == match; });
    OpenCount open = same != before.end() ? same->open : std::make_shared<int64_t>(0);
    entries_.push_back({i, match, methods[i].open_rpcs, std::move(open)});
    if (match == "*") {
      if (!any_) any_ = i;
    } else if (match.ends_with("/*")) {
      services_.emplace(match.substr(0, match.size() - 1), i);
    } else {
      methods_.emplace(match, i);
    }
  }
}

const MethodLimits::Entry* MethodLimits::Find(std::string_view path) const {
  if (entries_.empty()) return nullptr;
  size_t first = any_.value_or(entries_.size());
  const auto look = [&first](const Indices& indices, std::string_view key) {
    const auto found = indices.find(key);
    if (found != indices.end()) first = std::min(first, found->second);
  };
  look(methods_, path);
  look(services_, path.substr(0, path.rfind('/') + 1));
  return first < entries_.size() ? &entries_[first] : nullptr;
}

}  // namespace lanekeeper

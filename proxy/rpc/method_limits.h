// limits.methods: which entry an RPC falls under, and how many each has open. Owned by Admission;
// its loop's thread. Finding an entry costs two look-ups, however many there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/config.h"
#include "proxy/observe/method_labels.h"

namespace lanekeeper {

// RPCs that are open, shared by those that are counted in it.
using OpenCount = std::shared_ptr<int64_t>;

class MethodLimits {
 public:
  struct Entry {
    size_t index = 0;  // of limits.methods
    std::string match;
    int64_t open_rpcs_max = 0;
    OpenCount open;
  };

  // Replaces the entries. One with the match of an earlier one goes on with its count.
  void Set(const std::vector<MethodLimitConfig>& methods);
  // The first entry that "/package.Service/Method" matches; null if there is none. Valid until Set.
  const Entry* Find(std::string_view path) const;

 private:
  using Indices = std::unordered_map<std::string, size_t, StringHash, std::equal_to<>>;

  std::vector<Entry> entries_;
  Indices methods_;   // "/package.Service/Method"
  Indices services_;  // "/package.Service/"
  std::optional<size_t> any_;
};

}  // namespace lanekeeper

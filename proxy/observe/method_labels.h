// The methods that get labels of their own: the first `max_methods` that are seen; all others share
// "other", so that a client that invents methods cannot make Prometheus run out of memory.
// Any thread. Threads ask once per method and keep the answer, so the lock is not on the hot path.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lanekeeper {

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

struct MethodLabel {
  std::string service;
  std::string method;
};

class MethodLabels {
 public:
  using Id = size_t;
  static constexpr Id kOther = 0;

  explicit MethodLabels(int max_methods);

  // The id of "/package.Service/Method"; kOther when the table is full or the path is no such
  // thing.
  Id Intern(std::string_view path);

  MethodLabel Label(Id id) const;

  // For methods that are still to come: those that have a label keep it.
  void SetMax(int max_methods);

 private:
  mutable std::mutex mutex_;
  size_t max_methods_;
  std::vector<MethodLabel> labels_;
  std::unordered_map<std::string, Id, StringHash, std::equal_to<>> ids_;
};

}  // namespace lanekeeper

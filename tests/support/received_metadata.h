// Metadata as core would hand it over. Owns its slices; the array refers to them.
#pragma once

#include <grpc/grpc.h>
#include <grpc/slice.h>

#include <string>
#include <utility>
#include <vector>

namespace lanekeeper {

class ReceivedMetadata {
 public:
  explicit ReceivedMetadata(const std::vector<std::pair<std::string, std::string>>& entries) {
    for (const auto& [key, value] : entries) {
      grpc_metadata entry{};
      entry.key = grpc_slice_from_copied_buffer(key.data(), key.size());
      entry.value = grpc_slice_from_copied_buffer(value.data(), value.size());
      entries_.push_back(entry);
    }
    array_.count = array_.capacity = entries_.size();
    array_.metadata = entries_.data();
  }
  ReceivedMetadata(const ReceivedMetadata&) = delete;
  ReceivedMetadata& operator=(const ReceivedMetadata&) = delete;
  ~ReceivedMetadata() {
    for (const grpc_metadata& entry : entries_) {
      grpc_slice_unref(entry.key);
      grpc_slice_unref(entry.value);
    }
  }
  const grpc_metadata_array& array() const { return array_; }

 private:
  std::vector<grpc_metadata> entries_;
  grpc_metadata_array array_{};
};

}  // namespace lanekeeper

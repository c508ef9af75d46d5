// An input that is read from its front: choices first, the rest is what the target is about.
// Borrows the bytes. One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lanekeeper::fuzz {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  bool empty() const { return size_ == 0; }
  // 0 at the end.
  uint8_t Byte() {
    if (size_ == 0) return 0;
    --size_;
    return *data_++;
  }
  // At most so many bytes; fewer at the end.
  std::string_view Take(size_t bytes) {
    const size_t size = std::min(bytes, size_);
    const std::string_view taken(reinterpret_cast<const char*>(data_), size);
    data_ += size;
    size_ -= size;
    return taken;
  }
  std::string_view Rest() { return Take(size_); }

 private:
  const uint8_t* data_;
  size_t size_;
};

}  // namespace lanekeeper::fuzz

#include "proxy/grpc/framing.h"

#include <algorithm>

namespace lanekeeper {
namespace {

uint32_t Length(const uint8_t* prefix) {
  return (uint32_t{prefix[1]} << 24) | (uint32_t{prefix[2]} << 16) | (uint32_t{prefix[3]} << 8) |
         prefix[4];
}

}  // namespace

bool MessageCounter::Begin(uint8_t flags, uint32_t size) {
  if (size > size_max_) {
    too_large_ = size;
    return false;
  }
  ++begun_;
  body_left_ = size;
  if (flags > 1) ++reserved_flags_;
  return true;
}

bool MessageCounter::Add(const uint8_t* data, size_t size) {
  const uint8_t* const end = data + size;
  while (data < end) {
    const auto left = static_cast<size_t>(end - data);
    if (body_left_ > 0) {
      const size_t part = std::min<size_t>(body_left_, left);
      body_left_ -= static_cast<uint32_t>(part);
      payload_bytes_ += part;
      data += part;
    } else if (prefix_seen_ == 0 && left >= kPrefixBytes) {
      if (!Begin(data[0], Length(data))) return false;
      data += kPrefixBytes;
    } else {
      prefix_[prefix_seen_++] = *data++;
      if (prefix_seen_ < kPrefixBytes) continue;
      prefix_seen_ = 0;
      if (!Begin(prefix_[0], Length(prefix_))) return false;
    }
  }
  return true;
}

}  // namespace lanekeeper

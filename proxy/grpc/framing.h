// Counts the messages in a run of bytes without assembling them: a 5-byte prefix, flag and length,
// then so many bytes (gRPC doc/PROTOCOL-HTTP2.md). One for each direction of an RPC; its thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lanekeeper {

class MessageCounter {
 public:
  static constexpr size_t kPrefixBytes = 5;

  // limits.message_size; UINT64_MAX for none.
  explicit MessageCounter(uint64_t size_max) : size_max_(size_max) {}

  // Takes the next bytes. False when a prefix announces a message above size_max; then too_large()
  // tells its size, and the counter is of no more use.
  bool Add(const uint8_t* data, size_t size);

  // Messages whose prefix is complete, and those that are whole.
  uint64_t begun() const { return begun_; }
  uint64_t complete() const { return begun_ - (body_left_ > 0 ? 1 : 0); }
  // Bytes of messages so far, without prefixes.
  uint64_t payload_bytes() const { return payload_bytes_; }
  // Inside a prefix or a message: an end here is an error.
  bool mid_message() const { return prefix_seen_ > 0 || body_left_ > 0; }
  uint64_t too_large() const { return too_large_; }
  uint64_t size_max() const { return size_max_; }
  // All bytes so far, prefixes included, but for a prefix that announces too much.
  uint64_t bytes() const { return payload_bytes_ + begun_ * kPrefixBytes + prefix_seen_; }
  // Prefixes with flags other than 0 and 1. They pass.
  uint64_t reserved_flags() const { return reserved_flags_; }

 private:
  bool Begin(uint8_t flags, uint32_t size);

  uint64_t size_max_;
  uint64_t begun_ = 0;
  uint64_t payload_bytes_ = 0;
  uint64_t too_large_ = 0;
  uint32_t body_left_ = 0;
  uint32_t reserved_flags_ = 0;
  uint8_t prefix_seen_ = 0;
  uint8_t prefix_[kPrefixBytes] = {};
};

}  // namespace lanekeeper

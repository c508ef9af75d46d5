// One gRPC message as core hands it over: a byte buffer of reference-counted slices, never copied.
// Owns the buffer. Empty means "no message" (the end of a direction), not a message of zero bytes.
#pragma once

#include <grpc/byte_buffer.h>
#include <grpc/slice_buffer.h>
#include <grpc/support/alloc.h>

#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

namespace lanekeeper {

class Message {
 public:
  Message() = default;
  explicit Message(grpc_byte_buffer* buffer) : buffer_(buffer) {}
  Message(Message&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  Message& operator=(Message&& other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~Message() {
    if (buffer_ != nullptr) Free(buffer_);
  }

  // The same slices once more, not their bytes. A message that core has taken is empty.
  Message Share() const { return Message(grpc_byte_buffer_copy(buffer_)); }

  explicit operator bool() const { return buffer_ != nullptr; }
  grpc_byte_buffer* get() const { return buffer_; }
  size_t size_bytes() const { return buffer_->data.raw.slice_buffer.length; }
  // Whether its flag on the wire says so.
  bool compressed() const {
    // As a number: it may be one of those that core's enumeration does not have
    // (unknown_encodings.cc).
    std::underlying_type_t<grpc_compression_algorithm> algorithm = 0;
    static_assert(sizeof algorithm == sizeof buffer_->data.raw.compression);
    std::memcpy(&algorithm, &buffer_->data.raw.compression, sizeof algorithm);
    return algorithm != GRPC_COMPRESS_NONE;
  }

  // Where core writes the next message; whatever was held is freed first.
  grpc_byte_buffer** Receive() {
    *this = Message();
    return &buffer_;
  }

 private:
  // As grpc_byte_buffer_destroy does, but without the execution context that it sets up.
  static void Free(grpc_byte_buffer* buffer) {
    grpc_slice_buffer_destroy(&buffer->data.raw.slice_buffer);
    gpr_free(buffer);
  }

  grpc_byte_buffer* buffer_ = nullptr;
};

}  // namespace lanekeeper

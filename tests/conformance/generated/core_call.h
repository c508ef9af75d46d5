// One call on gRPC's core, in blocking steps with a bound: the C surface, because it keeps the
// order of metadata, any status code, what travels in one batch and the compression of each
// message. Owns the call and its queue. One thread.
#pragma once

#include <grpc/grpc.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tests/conformance/generated/plan.h"
#include "tests/support/bytes.h"
#include "tests/support/tag_queue.h"

namespace lanekeeper::testing {

// Metadata as core reads or writes it.
class CoreMetadata {
 public:
  CoreMetadata() { grpc_metadata_array_init(&array_); }
  explicit CoreMetadata(const MetadataPairs& pairs);
  CoreMetadata(const CoreMetadata&) = delete;
  CoreMetadata& operator=(const CoreMetadata&) = delete;
  ~CoreMetadata();

  grpc_metadata_array* array() { return &array_; }
  MetadataPairs pairs() const;

 private:
  grpc_metadata_array array_{};
  std::vector<grpc_metadata> owned_;
};

// Names an algorithm to core, which puts it into grpc-encoding.
MetadataPairs WithCompression(MetadataPairs headers, grpc_compression_algorithm algorithm);

struct ReceivedMessage {
  std::string bytes;  // as on the wire
  grpc_compression_algorithm compression = GRPC_COMPRESS_NONE;
};

class CoreCall {
 public:
  CoreCall(const CoreCall&) = delete;
  CoreCall& operator=(const CoreCall&) = delete;

  // Asks for a message, unless one is asked for already.
  void PostReceive();
  // False when neither a message nor the end came in time.
  bool AwaitReceive();
  // What AwaitReceive got; empty at the end of the direction.
  const std::optional<ReceivedMessage>& received() const { return received_; }
  // How the peer compresses; once its headers are here.
  grpc_compression_algorithm compression() const;

  void CancelWith(int code, const std::string& message);
  void Cancel() { grpc_call_cancel(call_, nullptr); }

 protected:
  enum class Lane { kSend, kReceive, kHeaders, kEnd };

  CoreCall() : queue_(grpc_completion_queue_create_for_next(nullptr)) {}
  ~CoreCall();
  // Cancels what is not over and waits for every operation: they write into what derived classes
  // own, so their destructors call it.
  void CancelAndWait();
  void Start(Lane lane, std::span<const grpc_op> ops);
  // Whether the lane is idle in time.
  bool Await(Lane lane, std::chrono::milliseconds patience = kPatience);
  // Waits for the send before, then sends; false when it was not accepted in time.
  bool Send(std::vector<grpc_op> ops, const std::optional<MessagePlan>& message);
  // Lets go of the call; its operations come to an end.
  void Release();

  grpc_call* call_ = nullptr;
  grpc_completion_queue* const queue_;

 private:
  std::array<bool, 4> in_flight_{};
  bool receive_posted_ = false;
  grpc_byte_buffer* sending_ = nullptr;
  grpc_byte_buffer* receiving_ = nullptr;
  std::optional<ReceivedMessage> received_;
};

std::string StringOf(const grpc_slice& slice);

}  // namespace lanekeeper::testing

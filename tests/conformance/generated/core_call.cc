#include "tests/conformance/generated/core_call.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>

#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "tests/support/core_symbols.h"

namespace lanekeeper::testing {
namespace {

grpc_slice SliceOf(const std::string& bytes) {
  return grpc_slice_from_copied_buffer(bytes.data(), bytes.size());
}

grpc_byte_buffer* BufferOf(const std::string& bytes) {
  grpc_slice slice = SliceOf(bytes);
  grpc_byte_buffer* const buffer = grpc_raw_byte_buffer_create(&slice, 1);
  grpc_slice_unref(slice);
  return buffer;
}

std::string BytesOf(grpc_byte_buffer* buffer) {
  grpc_byte_buffer_reader reader;
  if (grpc_byte_buffer_reader_init(&reader, buffer) == 0) return "";
  const grpc_slice all = grpc_byte_buffer_reader_readall(&reader);
  grpc_byte_buffer_reader_destroy(&reader);
  std::string bytes = StringOf(all);
  grpc_slice_unref(all);
  return bytes;
}

gpr_timespec In(std::chrono::milliseconds time) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_millis(time.count(), GPR_TIMESPAN));
}

}  // namespace

std::string StringOf(const grpc_slice& slice) {
  return {reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)), GRPC_SLICE_LENGTH(slice)};
}

CoreMetadata::CoreMetadata(const MetadataPairs& pairs) {
  for (const auto& [key, value] : pairs) {
    grpc_metadata& entry = owned_.emplace_back();
    entry.key = SliceOf(key);
    entry.value = SliceOf(value);
  }
  array_.count = owned_.size();
  array_.metadata = owned_.data();
}

CoreMetadata::~CoreMetadata() {
  for (grpc_metadata& entry : owned_) {
    grpc_slice_unref(entry.key);
    grpc_slice_unref(entry.value);
  }
  if (owned_.empty()) grpc_metadata_array_destroy(&array_);
}

MetadataPairs CoreMetadata::pairs() const {
  MetadataPairs pairs;
  for (size_t i = 0; i < array_.count; ++i) {
    pairs.emplace_back(StringOf(array_.metadata[i].key), StringOf(array_.metadata[i].value));
  }
  return pairs;
}

MetadataPairs WithCompression(MetadataPairs headers, grpc_compression_algorithm algorithm) {
  const char* name = nullptr;
  if (algorithm != GRPC_COMPRESS_NONE && grpc_compression_algorithm_name(algorithm, &name) != 0) {
    headers.emplace_back(GRPC_COMPRESSION_REQUEST_ALGORITHM_MD_KEY, name);
  }
  return headers;
}

void CoreCall::CancelAndWait() {
  if (call_ != nullptr) Cancel();
  bool idle = true;
  for (const Lane lane : {Lane::kSend, Lane::kReceive, Lane::kHeaders, Lane::kEnd}) {
    idle = Await(lane) && idle;
  }
  // Core still writes into what we own: nothing after this could be trusted.
  if (!idle) std::abort();
}

CoreCall::~CoreCall() {
  Release();
  if (sending_ != nullptr) grpc_byte_buffer_destroy(sending_);
  if (receiving_ != nullptr) grpc_byte_buffer_destroy(receiving_);
  grpc_completion_queue_shutdown(queue_);
  const gpr_timespec forever = gpr_inf_future(GPR_CLOCK_MONOTONIC);
  while (grpc_completion_queue_next(queue_, forever, nullptr).type != GRPC_QUEUE_SHUTDOWN) {
  }
  grpc_completion_queue_destroy(queue_);
}

void CoreCall::Release() {
  if (call_ != nullptr) grpc_call_unref(std::exchange(call_, nullptr));
}

void CoreCall::Start(Lane lane, std::span<const grpc_op> ops) {
  const auto index = static_cast<size_t>(lane);
  in_flight_[index] = true;
  const grpc_call_error error =
      grpc_call_start_batch(call_, ops.data(), ops.size(), &in_flight_[index], nullptr);
  if (error == GRPC_CALL_OK) return;
  in_flight_[index] = false;
  throw std::logic_error(std::string("core refuses a batch: ") + grpc_call_error_to_string(error));
}

bool CoreCall::Await(Lane lane, std::chrono::milliseconds patience) {
  const gpr_timespec deadline = In(patience);
  while (in_flight_[static_cast<size_t>(lane)]) {
    const grpc_event event = grpc_completion_queue_next(queue_, deadline, nullptr);
    if (event.type != GRPC_OP_COMPLETE) return false;
    *static_cast<bool*>(event.tag) = false;
  }
  return true;
}

bool CoreCall::Send(std::vector<grpc_op> ops, const std::optional<MessagePlan>& message) {
  if (!Await(Lane::kSend)) return false;
  if (message) {
    if (sending_ != nullptr) grpc_byte_buffer_destroy(sending_);
    sending_ = BufferOf(message->Bytes());
    grpc_op op{};
    op.op = GRPC_OP_SEND_MESSAGE;
    op.flags = message->leave_as_it_is ? GRPC_WRITE_NO_COMPRESS : 0;
    op.data.send_message.send_message = sending_;
    // After the headers, before what ends the direction.
    const bool headers_first = !ops.empty() && ops.front().op == GRPC_OP_SEND_INITIAL_METADATA;
    ops.insert(ops.begin() + (headers_first ? 1 : 0), op);
  }
  Start(Lane::kSend, ops);
  return true;
}

void CoreCall::PostReceive() {
  if (std::exchange(receive_posted_, true)) return;
  grpc_op op{};
  op.op = GRPC_OP_RECV_MESSAGE;
  op.data.recv_message.recv_message = &receiving_;
  Start(Lane::kReceive, {&op, 1});
}

bool CoreCall::AwaitReceive() {
  received_.reset();
  if (!Await(Lane::kReceive)) return false;
  receive_posted_ = false;
  if (receiving_ != nullptr) {
    received_ = ReceivedMessage{BytesOf(receiving_), receiving_->data.raw.compression};
    grpc_byte_buffer_destroy(std::exchange(receiving_, nullptr));
  }
  return true;
}

grpc_compression_algorithm CoreCall::compression() const {
  return grpc_call_test_only_get_compression_algorithm(call_);
}

void CoreCall::CancelWith(int code, const std::string& message) {
  grpc_call_cancel_with_status(call_, static_cast<grpc_status_code>(code), message.c_str(),
                               nullptr);
}

}  // namespace lanekeeper::testing

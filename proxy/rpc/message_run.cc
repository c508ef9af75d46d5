#include "proxy/rpc/message_run.h"

#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <grpc/slice_buffer.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace lanekeeper {
namespace {

// The core of gRPC 1.51.
const bool kJoinable = std::string_view(grpc_version_string()) == "29.0.0";

// A byte that tells whether the message is compressed, and its length.
constexpr size_t kPrefixBytes = 5;

uint8_t* AppendPrefix(uint8_t* to, const Message& message) {
  const auto length = static_cast<uint32_t>(message.size_bytes());
  const std::array<uint8_t, kPrefixBytes> prefix = {
      message.compressed() ? uint8_t{1} : uint8_t{0}, static_cast<uint8_t>(length >> 24),
      static_cast<uint8_t>(length >> 16), static_cast<uint8_t>(length >> 8),
      static_cast<uint8_t>(length)};
  return std::copy(prefix.begin(), prefix.end(), to);
}

uint8_t* AppendBytes(uint8_t* to, const Message& message) {
  const grpc_slice_buffer& from = message.get()->data.raw.slice_buffer;
  for (const grpc_slice& slice : std::span(from.slices, from.count)) {
    std::memcpy(to, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
    to += GRPC_SLICE_LENGTH(slice);
  }
  return to;
}

}  // namespace

MessageCount MessageRun::CountOfSeveral() const {
  return {1 + followers_->messages.size(), first_.size_bytes() + followers_->bytes};
}

bool MessageRun::Takes(size_t bytes) const {
  if (bytes > kMessageBytesMax || !first_ || !kJoinable) return false;
  const MessageCount now = count();
  return first_.size_bytes() <= kMessageBytesMax && now.messages < kMessagesMax &&
         now.bytes + bytes <= kBytesMax;
}

void MessageRun::Append(Message message) {
  if (!followers_) {
    followers_ = std::make_unique<Followers>();
    followers_->messages.reserve(kMessagesMax - 1);
  }
  followers_->bytes += message.size_bytes();
  followers_->messages.push_back(std::move(message));
}

MessageRun MessageRun::Share() const {
  MessageRun run(first_.Share());
  if (followers_) {
    for (const Message& message : followers_->messages) run.Add(message.Share());
  }
  return run;
}

Message MessageRun::TakeLastOfSeveral() {
  Message last = std::move(followers_->messages.back());
  followers_->messages.pop_back();
  followers_->bytes -= last.size_bytes();
  if (followers_->messages.empty()) followers_.reset();
  return last;
}

Message MessageRun::JoinSeveral() {
  const std::unique_ptr<Followers> followers = std::move(followers_);
  Message joined = std::move(first_);
  const size_t first_bytes = joined.size_bytes();
  grpc_slice slice =
      grpc_slice_malloc(first_bytes + followers->bytes + followers->messages.size() * kPrefixBytes);
  uint8_t* end = AppendBytes(GRPC_SLICE_START_PTR(slice), joined);
  for (const Message& message : followers->messages) {
    end = AppendBytes(AppendPrefix(end, message), message);
  }
  grpc_slice_buffer& buffer = joined.get()->data.raw.slice_buffer;
  grpc_slice_buffer_reset_and_unref(&buffer);
  grpc_slice_buffer_add(&buffer, slice);
  buffer.length = first_bytes;
  return joined;
}

}  // namespace lanekeeper

// One message, or several small ones that follow one another and are sent by one operation of
// core's, which costs as much as ten such messages. Each stays a message of its own on the wire.
// Owned by whoever is about to send it. Empty means "no message", as with Message.
//
// Core writes a message as its length (gRPC over HTTP/2, "Length-Prefixed-Message") and then all
// slices of the buffer, without a look at whether the length is theirs. So the buffer of a run says
// the length of the first message, and holds behind it what core would have written for the others.
// Only the core that is known to do so (kJoinable) gets runs of more than one.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "proxy/rpc/message.h"

namespace lanekeeper {

// How many messages, and how many bytes without their framing.
struct MessageCount {
  size_t messages = 0;
  size_t bytes = 0;
};

class MessageRun {
 public:
  // Of all messages of a run of several, which are copied.
  static constexpr size_t kBytesMax = 16 * 1024;
  // Of one of them: from here on a copy costs more than an operation saves.
  static constexpr size_t kMessageBytesMax = 2 * 1024;
  static constexpr size_t kMessagesMax = 32;

  MessageRun() = default;
  explicit MessageRun(Message message) : first_(std::move(message)) {}

  explicit operator bool() const { return static_cast<bool>(first_); }
  MessageCount count() const {
    if (followers_) return CountOfSeveral();
    return first_ ? MessageCount{1, first_.size_bytes()} : MessageCount{};
  }

  // Whether a message of this size may follow in the same run.
  bool Takes(size_t bytes) const;
  // The first, or one that the run Takes.
  void Add(Message message) {
    if (first_) return Append(std::move(message));
    first_ = std::move(message);
  }

  // The same messages once more, not their bytes.
  MessageRun Share() const;

  // The last, if there is one in front of it; otherwise nothing.
  Message TakeLast() { return followers_ ? TakeLastOfSeveral() : Message(); }

  // For core's operation that sends the run: as long as the first message, by its own account.
  // Empties the run.
  Message Join() { return followers_ ? JoinSeveral() : std::move(first_); }

 private:
  struct Followers {
    std::vector<Message> messages;
    size_t bytes = 0;
  };

  MessageCount CountOfSeveral() const;
  void Append(Message message);
  Message TakeLastOfSeveral();
  Message JoinSeveral();

  Message first_;
  std::unique_ptr<Followers> followers_;  // null if there are none
};

}  // namespace lanekeeper

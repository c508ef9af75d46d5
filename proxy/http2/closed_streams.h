// How the last streams of a peer came to their end, so that frames that still come on them are
// judged (RFC 9113 section 5.1): the library remembers none. Each slot keeps its highest id. Owned
// by a connection; its loop's thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace lanekeeper::http2 {

enum class StreamFate : uint8_t {
  kForgotten,    // too long ago to tell
  kNotClosed,    // it is open, or never was
  kEndedByPeer,  // END_STREAM: nothing more of it can be on its way
  kResetByPeer,
  kResetByUs,  // what the peer sent before it knew may still come
};

class ClosedStreams {
 public:
  // The peer has sent its last frame on it.
  void AddPeers(int32_t id, StreamFate fate) {
    Slot& slot = slots_[IndexOf(id)];
    if (id >= slot.id) slot = {id, fate};
  }
  // It is closed here, by us unless the peer has ended it before.
  void AddOurs(int32_t id) {
    Slot& slot = slots_[IndexOf(id)];
    if (id > slot.id) slot = {id, StreamFate::kResetByUs};
  }
  StreamFate Of(int32_t id) const {
    const Slot& slot = slots_[IndexOf(id)];
    if (slot.id == id) return slot.fate;
    return slot.id < id ? StreamFate::kNotClosed : StreamFate::kForgotten;
  }

 private:
  struct Slot {
    int32_t id = 0;
    StreamFate fate = StreamFate::kForgotten;
  };
  static constexpr size_t kSlots = 64;
  // A peer's ids are all odd.
  static size_t IndexOf(int32_t id) { return static_cast<size_t>(id) / 2 % kSlots; }

  std::array<Slot, kSlots> slots_{};
};

}  // namespace lanekeeper::http2

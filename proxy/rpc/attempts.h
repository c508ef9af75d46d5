// Starting an RPC once more: what has been sent upstream is kept, by reference where it is large,
// as long as the upstream may turn out not to have seen it. Owned by the RPC; its loop's thread.
// gRFC A6: what never left may start as often as needed; what left, only where the upstream says
// that it was not processed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "proxy/http2/stream.h"
#include "proxy/net/buffer.h"

namespace lanekeeper {

enum class AttemptState : uint8_t {
  kRecording,  // what is sent is kept
  kReplaying,  // a new attempt is being started with what was kept
  kCommitted,  // this attempt is the last: the upstream has answered, or too much has been sent
};
enum class AttemptEvent : uint8_t { kStarted, kNotSeen, kAnswered, kOverflow, kGaveUp };
// The only way from state to state.
AttemptState Next(AttemptState state, AttemptEvent event);

class Attempts {
 public:
  static constexpr size_t kKeptBytesMax = 256 * 1024;
  // A peer that sends GOAWAY after GOAWAY, or refuses again and again, gets its way.
  static constexpr int kNotProcessedMax = 5;
  static constexpr int kRefusedMax = 1;

  explicit Attempts(Buffers& buffers) : kept_(buffers) {}

  // Before the bytes are sent.
  void Keep(const SliceQueue& bytes);
  void Started() { state_ = Next(state_, AttemptEvent::kStarted); }
  // Nothing that was kept will be needed.
  void Commit(AttemptEvent why);
  // Whether the RPC may start anew after its stream ended so; counts it if so.
  bool TakeAnother(http2::CloseCause cause, uint32_t code);

  AttemptState state() const { return state_; }
  const SliceQueue& kept() const { return kept_; }

 private:
  SliceQueue kept_;
  AttemptState state_ = AttemptState::kRecording;
  int8_t not_processed_ = 0;
  int8_t refused_ = 0;
};

}  // namespace lanekeeper

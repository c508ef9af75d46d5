#include "proxy/rpc/attempts.h"

#include "proxy/grpc/status.h"

namespace lanekeeper {

AttemptState Next(AttemptState state, AttemptEvent event) {
  if (state == AttemptState::kCommitted) return state;
  switch (event) {
    case AttemptEvent::kStarted:
      return AttemptState::kRecording;
    case AttemptEvent::kNotSeen:
      return AttemptState::kReplaying;
    case AttemptEvent::kAnswered:
    case AttemptEvent::kOverflow:
    case AttemptEvent::kGaveUp:
      return AttemptState::kCommitted;
  }
  return state;
}

void Attempts::Keep(const SliceQueue& bytes) {
  if (state_ == AttemptState::kCommitted) return;
  if (kept_.bytes() + bytes.bytes() > kKeptBytesMax) return Commit(AttemptEvent::kOverflow);
  kept_.Share(bytes);
}

void Attempts::Commit(AttemptEvent why) {
  state_ = Next(state_, why);
  kept_.Clear();
}

bool Attempts::TakeAnother(http2::CloseCause cause, uint32_t code) {
  if (state_ == AttemptState::kCommitted) return false;
  const bool not_processed =
      cause == http2::CloseCause::kNotProcessed && not_processed_ < kNotProcessedMax;
  const bool refused = cause == http2::CloseCause::kPeerReset &&
                       code == Code(H2Error::kRefusedStream) && refused_ < kRefusedMax;
  if (!not_processed && !refused) return false;
  ++(not_processed ? not_processed_ : refused_);
  state_ = Next(state_, AttemptEvent::kNotSeen);
  return true;
}

}  // namespace lanekeeper

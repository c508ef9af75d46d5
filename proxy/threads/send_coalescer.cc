#include "proxy/threads/send_coalescer.h"

#include <algorithm>
#include <span>
#include <utility>

#include "proxy/threads/held_sockets.h"

namespace lanekeeper {
namespace {

// How soon a full socket is tried again: as long as this doubles, a peer that reads slowly is not
// kept waiting, and one that does not read costs little.
constexpr Instant kRetryFirst = 1'000'000;
constexpr Instant kRetryMax = 16'000'000;

thread_local SendCoalescer* holding = nullptr;

}  // namespace

SendCoalescer* SendCoalescer::OfThisThread() { return holding; }

void SendCoalescer::Hold() { holding = this; }

void SendCoalescer::LetGo() {
  if (holding == this) holding = nullptr;
}

void SendCoalescer::Release() {
  LetGo();
  Push();
}

void SendCoalescer::Push() {
  if (retry_at_ != 0 && InstantNow() >= retry_at_) Retry();
  for (HeldSocket* socket : std::span(sockets_).first(std::exchange(count_, 0))) {
    if (socket->Push(*this)) continue;
    full_.push_back(socket);
    retry_after_ = kRetryFirst;
    retry_at_ = InstantNow() + retry_after_;
  }
}

void SendCoalescer::Retry() {
  std::erase_if(full_, [this](HeldSocket* socket) { return socket->Push(*this); });
  retry_after_ = std::min(2 * retry_after_, kRetryMax);
  retry_at_ = full_.empty() ? 0 : InstantNow() + retry_after_;
}

bool SendCoalescer::Add(HeldSocket& socket) {
  if (count_ == sockets_.size()) return false;
  sockets_[count_++] = &socket;
  return true;
}

std::string SendCoalescer::TakeRoom() {
  if (rooms_.empty()) return {};
  std::string room = std::move(rooms_.back());
  rooms_.pop_back();
  return room;
}

void SendCoalescer::ReturnRoom(std::string room) {
  if (rooms_.size() == sockets_.size()) return;
  room.clear();
  rooms_.push_back(std::move(room));
}

}  // namespace lanekeeper

#include "proxy/upstream/subchannel.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "proxy/grpc/metadata.h"
#include "proxy/grpc/status.h"

namespace lanekeeper {
Subchannel::Subchannel(EventLoop& loop, std::vector<SocketAddress> addresses,
                       const UpstreamManners& manners, SubchannelOwner& owner)
    : loop_(loop),
      addresses_(std::move(addresses)),
      manners_(manners),
      owner_(owner),
      dial_timer_(loop.timers(), *this) {
  Dial();
}

Subchannel::~Subchannel() = default;

void Subchannel::Dial() {
  dial_timer_.Cancel();
  if (next_ != nullptr) return;
  if (current_ == nullptr) state_ = SubchannelState::kConnecting;
  dialled_at_ = InstantNow();
  next_ = std::make_unique<UpstreamConnection>(loop_, addresses_, manners_, *this);
  owner_.OnChange(*this);
}

void Subchannel::SetAddresses(std::vector<SocketAddress> addresses) {
  addresses_ = std::move(addresses);
  const bool stays = std::any_of(addresses_.begin(), addresses_.end(), [&](const auto& address) {
    return current_ != nullptr && address.Name() == current_->peer();
  });
  if (current_ != nullptr && !stays) Dial();
}

void Subchannel::KeepaliveChanged() {
  if (current_ != nullptr) current_->KeepaliveChanged();
  for (const auto& connection : draining_) connection->KeepaliveChanged();
}

void Subchannel::Leave() {
  state_ = SubchannelState::kLeaving;
  dial_timer_.Cancel();
  if (next_ != nullptr) Retire(std::move(next_));
  if (current_ == nullptr && draining_.empty()) return owner_.OnLeft(*this);
  if (current_ == nullptr) return;
  draining_.push_back(std::move(current_));
  draining_.back()->Drain();
}

http2::Connection* Subchannel::WithRoom() {
  if (current_ == nullptr) return nullptr;
  // Make before break: stream ids last for 2^30 RPCs.
  if (next_ == nullptr && current_->http2().ids_run_out()) Dial();
  return current_->http2().HasRoom() ? &current_->http2() : nullptr;
}

void Subchannel::OnReady(UpstreamConnection& connection) {
  if (next_.get() != &connection) return;
  if (current_ != nullptr) {
    draining_.push_back(std::move(current_));
    draining_.back()->Drain();
  }
  current_ = std::move(next_);
  state_ = SubchannelState::kReady;
  error_.clear();
  owner_.CountConnections(1);
  owner_.OnChange(*this);
}

void Subchannel::OnRoom(UpstreamConnection&) { owner_.OnChange(*this); }

// It has answered an RPC, or has lived for longer than the last wait.
bool Subchannel::IsProved(const UpstreamConnection& connection) const {
  return connection.answered() || loop_.now() - connection.began() >
                                      std::max<Instant>(backoff_.last().count(), 1'000'000'000);
}

// RPCs that it has seen go on there; a new connection takes the next ones.
void Subchannel::OnGoaway(UpstreamConnection& connection, const http2::Goaway& goaway) {
  const std::string debug = PrintableField(goaway.debug);
  spdlog::info("upstream {}: GOAWAY, code {}, last stream {}{}{}", connection.peer(), goaway.code,
               goaway.last_id, debug.empty() ? "" : ": ", debug);
  if (goaway.code == Code(H2Error::kEnhanceYourCalm) && goaway.debug == "too_many_pings")
    owner_.OnTooManyPings();
  if (current_.get() != &connection) return;
  const bool proved = IsProved(connection);
  if (proved) Forget();
  draining_.push_back(std::move(current_));
  Lost("the upstream sent GOAWAY", !proved && unproved_++ > 0);
  draining_.back()->Drain();
}

void Subchannel::OnEnd(UpstreamConnection& connection, const std::string& why) {
  if (next_.get() == &connection) {
    Retire(std::move(next_));
    if (current_ == nullptr) Lost(why, true);
    return;
  }
  owner_.CountConnections(-1);
  if (current_.get() == &connection) {
    const bool proved = IsProved(connection);
    if (proved) Forget();
    spdlog::info("upstream {}: connection lost: {}", connection.peer(), why);
    Retire(std::move(current_));
    return Lost(why, !proved && unproved_++ > 0);
  }
  const auto drained = std::find_if(draining_.begin(), draining_.end(),
                                    [&](const auto& one) { return one.get() == &connection; });
  if (drained == draining_.end()) return;
  Retire(std::move(*drained));
  draining_.erase(drained);
  if (state_ == SubchannelState::kLeaving && draining_.empty()) owner_.OnLeft(*this);
}

// There is no current connection any more. One that was good is replaced at once, and so is the
// first that has not proved itself. The next of those count as failed dials: a peer that accepts
// and closes must not be dialled more often than one that refuses.
void Subchannel::Lost(const std::string& why, bool failed) {
  if (failed) {
    error_ = why;
    state_ = SubchannelState::kBackingOff;
    const Instant due = dialled_at_ + backoff_.Next().count();
    if (next_ == nullptr) dial_timer_.Set(std::max(due, loop_.now()));
    owner_.OnChange(*this);
  } else {
    Dial();
  }
  owner_.OnTrouble(*this);
}

// What went wrong before counts no more.
void Subchannel::Forget() {
  backoff_.Reset();
  unproved_ = 0;
}

void Subchannel::Retire(std::unique_ptr<UpstreamConnection> connection) {
  loop_.Retire(std::move(connection));
}

}  // namespace lanekeeper

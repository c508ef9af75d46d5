#include "proxy/upstream/subchannel.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "proxy/grpc/metadata.h"
#include "proxy/grpc/status.h"

namespace lanekeeper {
namespace {

// Connections that RPCs hold while they are replaced: more would make many of the one that there
// should be. Only a connection that has no ids left is replaced all the same.
constexpr size_t kDrainingMax = 16;
// So long RPCs wait, without being told, for addresses that are tried one after the other.
constexpr Instant kQuick = 1'000'000'000;
// A connection that ends sooner is of no use unless it has answered an RPC.
constexpr Instant kLifeMin = Backoff::kInitial.count();

bool Contains(const std::vector<SocketAddress>& addresses, const SocketAddress& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

}  // namespace

Subchannel::Subchannel(EventLoop& loop, std::vector<SocketAddress> addresses,
                       const UpstreamManners& manners, SubchannelOwner& owner)
    : loop_(loop),
      addresses_(std::move(addresses)),
      order_(addresses_),
      manners_(manners),
      owner_(owner),
      dial_timer_(loop.timers(), *this),
      idle_timer_(loop.timers(), *this) {
  Dial();
}

Subchannel::~Subchannel() = default;

Subchannel::Connections::iterator Subchannel::Find(Connections& among,
                                                   const UpstreamConnection& one) {
  return std::find_if(among.begin(), among.end(),
                      [&](const auto& other) { return other.get() == &one; });
}

void Subchannel::Dial() {
  dial_timer_.Cancel();
  if (next_ != nullptr) return;
  if (ready_.empty()) state_ = SubchannelState::kConnecting;
  dialled_at_ = InstantNow();
  if (useless_ == 0) pass_began_ = dialled_at_;
  next_ = std::make_unique<UpstreamConnection>(loop_, order_, manners_, *this);
  owner_.OnChange(*this);
}

// The wait is over. Where RPCs wait for one more connection the owner asks for it.
void Subchannel::OnDialDue() {
  if (NeedsDial()) return Dial();
  owner_.OnChange(*this);
}

// Make before break: whether there is none, or one that should be replaced.
bool Subchannel::NeedsDial() const {
  if (state_ == SubchannelState::kLeaving || next_ != nullptr || dial_timer_.is_set()) return false;
  if (ready_.empty()) return true;
  return std::any_of(ready_.begin(), ready_.end(), [&](const auto& one) {
    return one->worn() && (draining_.size() < kDrainingMax || one->http2().ids_run_out());
  });
}

bool Subchannel::IsGone(const UpstreamConnection& connection) const {
  return std::none_of(addresses_.begin(), addresses_.end(),
                      [&](const auto& address) { return address.Name() == connection.peer(); });
}

// A dial to addresses that are all gone is of no use, nor is a wait for the next one.
void Subchannel::SetAddresses(std::vector<SocketAddress> addresses) {
  const std::vector<SocketAddress> before = std::exchange(addresses_, std::move(addresses));
  const bool news = std::any_of(addresses_.begin(), addresses_.end(),
                                [&](const auto& one) { return !Contains(before, one); });
  if (news || before.size() != addresses_.size()) order_ = addresses_;
  for (const auto& one : ready_) one->set_address_gone(IsGone(*one));
  if (news && ready_.empty()) {
    if (next_ != nullptr) Retire(std::move(next_));
    useless_ = 0;
    return Dial();
  }
  if (NeedsDial()) Dial();
}

void Subchannel::KeepaliveChanged() {
  for (const auto& connection : ready_) connection->KeepaliveChanged();
  for (const auto& connection : draining_) connection->KeepaliveChanged();
}

void Subchannel::Leave() {
  state_ = SubchannelState::kLeaving;
  dial_timer_.Cancel();
  idle_timer_.Cancel();
  if (next_ != nullptr) Retire(std::move(next_));
  for (auto& one : ready_) draining_.push_back(std::move(one));
  ready_.clear();
  if (draining_.empty()) return owner_.OnLeft(*this);
  for (const auto& one : draining_) one->Drain();
}

http2::Connection* Subchannel::WithRoom() {
  http2::Connection* found = nullptr;
  bool worn = false;
  for (const auto& one : ready_) {
    worn = worn || one->worn();
    if (!one->http2().HasRoom()) continue;
    found = &one->http2();
    break;
  }
  if (worn && NeedsDial()) Dial();
  return found;
}

void Subchannel::OnReady(UpstreamConnection& connection) {
  if (next_.get() != &connection) return;
  DrainWorn();
  ready_.push_back(std::move(next_));
  state_ = SubchannelState::kReady;
  error_.clear();
  useless_ = 0;
  owner_.CountConnections(1);
  WatchIdle(connection);
  owner_.OnChange(*this);
}

// The new one takes the place of all of them.
void Subchannel::DrainWorn() {
  for (size_t i = 0; i < ready_.size();) {
    if (!ready_[i]->worn()) {
      ++i;
      continue;
    }
    draining_.push_back(std::move(ready_[i]));
    ready_.erase(ready_.begin() + static_cast<ptrdiff_t>(i));
    draining_.back()->Drain();
  }
}

void Subchannel::OnRoom(UpstreamConnection& connection) {
  WatchIdle(connection);
  owner_.OnChange(*this);
}

void Subchannel::WatchIdle(const UpstreamConnection& connection) {
  if (ready_.size() < 2 || idle_timer_.is_set() || connection.idle_since() == 0) return;
  idle_timer_.Set(connection.idle_since() + manners_.idle_after.count());
}

// The oldest takes what it can, so that those behind it become idle, and are too many.
void Subchannel::CloseIdle() {
  Instant next = 0;
  for (size_t i = ready_.size(); i-- > 1;) {
    const Instant idle_since = ready_[i]->idle_since();
    if (idle_since == 0) continue;
    const Instant due = idle_since + manners_.idle_after.count();
    if (due > loop_.now()) {
      next = next == 0 ? due : std::min(next, due);
      continue;
    }
    draining_.push_back(std::move(ready_[i]));
    ready_.erase(ready_.begin() + static_cast<ptrdiff_t>(i));
    draining_.back()->Drain();
  }
  if (next != 0) idle_timer_.Set(next);
}

void Subchannel::OnWorn(UpstreamConnection&) {
  if (NeedsDial()) Dial();
}

bool Subchannel::IsProved(const UpstreamConnection& connection) const {
  return connection.answered() ||
         backoff_.IsOutlivedBy(std::chrono::nanoseconds(loop_.now() - connection.began()));
}

// RPCs that it has seen go on there; a new connection takes the next ones.
void Subchannel::OnGoaway(UpstreamConnection& connection, const http2::Goaway& goaway) {
  const std::string debug = PrintableField(goaway.debug);
  const int64_t resets = connection.http2().resets_sent();
  spdlog::info("upstream {}: GOAWAY, code {}, last stream {}, after {} resets of ours{}{}",
               connection.peer(), goaway.code, goaway.last_id, resets, debug.empty() ? "" : ": ",
               debug);
  if (goaway.code == Code(H2Error::kEnhanceYourCalm) && goaway.debug == "too_many_pings")
    owner_.OnTooManyPings();
  else if (goaway.code != Code(H2Error::kNoError))
    owner_.OnEndedAfterResets(resets);
  const auto found = Find(ready_, connection);
  if (found == ready_.end()) return;
  draining_.push_back(std::move(*found));
  ready_.erase(found);
  // A server that ends connections for their age or idleness is well, however long it was away
  // before.
  const bool in_order =
      goaway.code == Code(H2Error::kNoError) && loop_.now() - connection.began() > kLifeMin;
  Lost(connection.peer(), "the upstream sent GOAWAY", in_order || IsProved(connection));
  connection.Drain();
}

void Subchannel::OnEnd(UpstreamConnection& connection, const std::string& why) {
  const std::string peer = connection.peer();
  if (next_.get() == &connection) {
    Retire(std::move(next_));
    return DialFailed(peer, why);
  }
  if (const auto found = Find(ready_, connection); found != ready_.end()) {
    owner_.CountConnections(-1);
    spdlog::info("upstream {}: connection lost: {}", peer, why);
    const bool proved = IsProved(connection);
    Retire(std::move(*found));
    ready_.erase(found);
    return Lost(peer, why, proved);
  }
  const auto drained = Find(draining_, connection);
  if (drained == draining_.end()) return;  // it was given up while it was dialled
  owner_.CountConnections(-1);
  Retire(std::move(*drained));
  draining_.erase(drained);
  if (state_ == SubchannelState::kLeaving && draining_.empty()) owner_.OnLeft(*this);
}

// An address that connects and then is of no use must not keep the dials from the others: they
// have their turn next, and at once where that took no time.
void Subchannel::DialFailed(const std::string& peer, const std::string& why) {
  if (!peer.empty()) {
    TryLast(peer);
    const bool quick = loop_.now() - pass_began_ < kQuick;
    if (++useless_ < order_.size() && quick) return Dial();
  }
  useless_ = 0;
  BackOff(why);
}

// One that was good is replaced at once, and so is the first that has not proved itself. The next
// of those count as failed dials: a peer that accepts and closes must not be dialled more often
// than one that refuses.
void Subchannel::Lost(const std::string& peer, const std::string& why, bool proved) {
  if (proved)
    Forget();
  else
    TryLast(peer);
  if (!proved && unproved_++ > 0) return BackOff(why);
  if (ready_.empty())
    Dial();
  else
    owner_.OnChange(*this);
  owner_.OnTrouble(*this);
}

void Subchannel::BackOff(const std::string& why) {
  if (ready_.empty()) {
    error_ = why;
    state_ = SubchannelState::kBackingOff;
  }
  const Instant due = dialled_at_ + backoff_.Next().count();
  if (next_ == nullptr) dial_timer_.Set(std::max(due, loop_.now()));
  owner_.OnTrouble(*this);
  owner_.OnChange(*this);
}

void Subchannel::TryLast(const std::string& peer) {
  std::stable_partition(order_.begin(), order_.end(),
                        [&](const auto& address) { return address.Name() != peer; });
}

// What went wrong before counts no more.
void Subchannel::Forget() {
  backoff_.Reset();
  unproved_ = 0;
  order_ = addresses_;
}

void Subchannel::Retire(std::unique_ptr<UpstreamConnection> connection) {
  loop_.Retire(std::move(connection));
}

}  // namespace lanekeeper

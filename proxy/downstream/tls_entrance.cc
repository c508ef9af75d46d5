#include "proxy/downstream/tls_entrance.h"

#include <utility>

#include "proxy/log/log_event.h"
#include "proxy/net/socket_address.h"

namespace lanekeeper {

void TlsEntrance::Begin(Fd socket, const TlsCredentials& credentials,
                        std::function<void(Transport)> admit) {
  std::string peer = PeerName(socket.get());
  if (on_their_way_.size() >= kHandshakesMax) {
    return Reject(peer, TlsOutcome::kTooMany, "too many TLS handshakes are on their way");
  }
  auto handshake = std::make_unique<TlsHandshake>(
      loop_, std::move(socket),
      std::make_unique<TlsSession>(loop_.buffers(), credentials.context()), &pace_, kTimeout,
      [this, peer = std::move(peer), admit = std::move(admit)](TlsHandshake& done,
                                                               TlsResult result) {
        LetGo(done);
        if (result.outcome != TlsOutcome::kOk) return Reject(peer, result.outcome, result.error);
        counts_.Add(TlsOutcome::kOk);
        admit(std::move(result.transport));
      });
  const TlsHandshake* const key = handshake.get();
  on_their_way_.emplace(key, std::move(handshake));
}

void TlsEntrance::LetGo(TlsHandshake& handshake) {
  const auto found = on_their_way_.find(&handshake);
  loop_.Retire(std::move(found->second));
  on_their_way_.erase(found);
}

void TlsEntrance::Close() {
  for (auto& [key, handshake] : on_their_way_) {
    handshake->Leave();
    loop_.Retire(std::move(handshake));
  }
  on_their_way_.clear();
}

// One line for each peer that is no friend; none for those that come and go.
void TlsEntrance::Reject(const std::string& peer, TlsOutcome outcome, const std::string& why) {
  counts_.Add(outcome);
  if (outcome == TlsOutcome::kClosed) return;
  LogEvent(line_limit_, LogLevel::kWarn, "TLS handshake failed", [&](LogFields& fields) {
    fields.Add("peer", peer).Add("outcome", ToLabel(outcome)).Add("why", why);
  });
}

}  // namespace lanekeeper

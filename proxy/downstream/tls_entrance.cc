#include "proxy/downstream/tls_entrance.h"

#include <utility>

#include "proxy/log/log_event.h"
#include "proxy/net/socket_address.h"

namespace lanekeeper {

// The oldest makes room: silent ones that come again and again would keep everybody else out.
void TlsEntrance::Begin(Fd socket, const TlsCredentials& credentials,
                        std::function<void(Transport)> admit) {
  if (on_their_way_.size() >= kHandshakesMax) {
    Guest oldest = LetGo(on_their_way_.begin());
    oldest.handshake->Leave();
    loop_.Retire(std::move(oldest.handshake));
    Reject(oldest.peer, TlsOutcome::kTooMany, "too many TLS handshakes are on their way");
  }
  const auto guest = on_their_way_.insert(on_their_way_.end(), {PeerName(socket.get()), nullptr});
  guest->handshake = std::make_unique<TlsHandshake>(
      loop_, std::move(socket),
      std::make_unique<TlsSession>(loop_.buffers(), credentials.context()), &pace_, kTimeout,
      [this, guest, admit = std::move(admit)](TlsHandshake&, TlsResult result) {
        Guest done = LetGo(guest);
        loop_.Retire(std::move(done.handshake));
        if (result.outcome != TlsOutcome::kOk) {
          return Reject(done.peer, result.outcome, result.error);
        }
        counts_.Add(TlsOutcome::kOk);
        admit(std::move(result.transport));
      });
}

TlsEntrance::Guest TlsEntrance::LetGo(Guests::iterator guest) {
  Guest gone = std::move(*guest);
  on_their_way_.erase(guest);
  return gone;
}

void TlsEntrance::Close() {
  for (Guest& guest : on_their_way_) {
    guest.handshake->Leave();
    loop_.Retire(std::move(guest.handshake));
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

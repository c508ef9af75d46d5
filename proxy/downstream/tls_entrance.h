// Where applications that speak TLS come in: their handshakes that are on their way. Owns them,
// bounds their number and their time, counts all, and logs those that do not get in. Used on the
// loop's thread; counts from any. Made before its loop runs and destroyed after.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "proxy/log/rate_limit.h"
#include "proxy/net/tls_credentials.h"
#include "proxy/net/tls_handshake.h"

namespace lanekeeper {

class TlsEntrance {
 public:
  // At once, of all listeners: one more is closed.
  static constexpr size_t kHandshakesMax = 1024;
  static constexpr std::chrono::seconds kTimeout{10};

  explicit TlsEntrance(EventLoop& loop) : loop_(loop) {}
  TlsEntrance(const TlsEntrance&) = delete;
  TlsEntrance& operator=(const TlsEntrance&) = delete;

  // `admit` is called, later, if the application gets in.
  void Begin(Fd socket, const TlsCredentials& credentials, std::function<void(Transport)> admit);
  // Closes those that are on their way.
  void Close();
  const TlsCounts& counts() const { return counts_; }

 private:
  void LetGo(TlsHandshake& handshake);
  void Reject(const std::string& peer, TlsOutcome outcome, const std::string& why);

  EventLoop& loop_;
  std::unordered_map<const TlsHandshake*, std::unique_ptr<TlsHandshake>> on_their_way_;
  TlsPace pace_;
  TlsCounts counts_;
  RateLimit line_limit_{20};
};

}  // namespace lanekeeper

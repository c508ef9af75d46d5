// Where applications that speak TLS come in: their handshakes that are on their way. Owns them,
// bounds their number and their time, counts all, and logs those that do not get in. Used on the
// loop's thread; counts from any. Made before its loop runs and destroyed after.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "proxy/log/rate_limit.h"
#include "proxy/net/tls_credentials.h"
#include "proxy/net/tls_handshake.h"

namespace lanekeeper {

class TlsEntrance {
 public:
  // At once, of all listeners: one more takes the place of the one that has taken longest.
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
  struct Guest {
    std::string peer;
    std::unique_ptr<TlsHandshake> handshake;
  };
  using Guests = std::list<Guest>;

  // Takes it off the list.
  Guest LetGo(Guests::iterator guest);
  void Reject(const std::string& peer, TlsOutcome outcome, const std::string& why);

  EventLoop& loop_;
  Guests on_their_way_;  // in the order in which they came
  TlsPace pace_;
  TlsCounts counts_;
  RateLimit line_limit_{20};
};

}  // namespace lanekeeper

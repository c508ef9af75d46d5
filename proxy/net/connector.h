// One attempt to connect to one of several addresses by happy eyeballs (RFC 8305): in order, the
// next one 250 ms after the one before or at once when that has failed; the first that connects
// wins. Owns the sockets until then. On the loop's thread. Done is called once, never from the
// constructor and never after destruction; it may destroy the Connector.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/net/event_loop.h"
#include "proxy/net/socket_address.h"

namespace lanekeeper {

class Connector {
 public:
  // The socket that has connected and to what; or none, and why.
  using Done = std::function<void(Fd, const SocketAddress&, const std::string& error)>;

  Connector(EventLoop& loop, std::vector<SocketAddress> addresses, std::chrono::nanoseconds timeout,
            Done done);
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;
  ~Connector();

 private:
  class Attempt;

  void StartNext();
  void OnTimeout();
  void Failed(Attempt& attempt, int error);
  void Connected(Attempt& attempt);
  void DropAttempts();
  void Finish(Fd socket, const SocketAddress& address, const std::string& error);

  EventLoop& loop_;
  const std::vector<SocketAddress> addresses_;
  const std::chrono::nanoseconds timeout_;
  Done done_;
  size_t next_ = 0;
  std::vector<std::unique_ptr<Attempt>> attempts_;
  std::string error_;
  TimerOf<Connector, &Connector::StartNext> next_timer_;
  TimerOf<Connector, &Connector::OnTimeout> timeout_timer_;
};

}  // namespace lanekeeper

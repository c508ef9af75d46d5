// Accepts connections on a loop's thread. Owns the listening sockets. Waits when the process has no
// descriptor left, or only those that it leaves to others, and counts that. Ends when destroyed or
// told to stop; accept_failures from any thread.
#pragma once

#include <atomic>
#include <climits>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/net/event_loop.h"
#include "proxy/net/listening_socket.h"

namespace lanekeeper {

class Acceptor {
 public:
  // May call StopAccepting, may not destroy the Acceptor.
  using OnConnection = std::function<void(Fd, const ListeningSocket&)>;
  enum class Descriptors : uint8_t {
    kAll,
    kLeaveSome,  // an eighth of the process's limit, at most 64
  };

  Acceptor(EventLoop& loop, std::vector<ListeningSocket> sockets, OnConnection on_connection,
           Descriptors descriptors = Descriptors::kAll);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  ~Acceptor();

  void Start();
  // More sockets, which are accepted from at once if the others are.
  void Add(std::vector<ListeningSocket> sockets);
  // Closes the sockets of these names; connections go on.
  void Remove(const std::vector<std::string>& names);
  // Closes the listening sockets; connections go on.
  void StopAccepting();
  int64_t accept_failures() const { return failures_.load(std::memory_order_relaxed); }

 private:
  class Socket;

  void AcceptAll();
  bool IsTaken(int fd) const { return fd < 0 || fd >= first_left_; }
  void Pause(const ListeningSocket& socket, int error);

  EventLoop& loop_;
  const OnConnection on_connection_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  bool started_ = false;
  bool paused_ = false;       // no descriptor is left; goes on when again_timer_ is due
  bool scarce_ = false;       // the last descriptor was one of those that are left to others
  int first_left_ = INT_MAX;  // that one and those above
  std::atomic<int64_t> failures_{0};
  TimerOf<Acceptor, &Acceptor::AcceptAll> again_timer_;
};

}  // namespace lanekeeper

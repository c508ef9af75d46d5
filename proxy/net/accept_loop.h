// Accepts downstream connections on a thread of its own and hands them to gRPC. gRPC's own listener
// stops for ever when file descriptors run out (CVE-2023-4785) and cannot say how many connections
// there are; this one waits until descriptors are free again, and counts. Owns the listening
// sockets and, for each connection, a duplicate of its descriptor that tells when gRPC has closed
// it. Ends when destroyed; established connections go on.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "proxy/net/listening_socket.h"

namespace lanekeeper {

class AcceptLoop {
 public:
  // Takes over a connected, non-blocking socket. On the accepting thread.
  using OnConnection = std::function<void(int listener_fd, int fd)>;

  explicit AcceptLoop(std::vector<ListeningSocket> sockets, std::string thread_name = "lk-accept");
  AcceptLoop(const AcceptLoop&) = delete;
  AcceptLoop& operator=(const AcceptLoop&) = delete;
  ~AcceptLoop();

  void Start(OnConnection on_connection);
  // No more connections: closes the listening sockets. The open ones are still counted.
  void StopAccepting();

  // Shuts every open connection down, both ways.
  void CutConnections();

  int64_t connections() const;
  int64_t accept_failures() const { return accept_failures_.load(std::memory_order_relaxed); }

 private:
  void Run();
  void Accept(const ListeningSocket& socket);
  void Track(int fd);
  void Untrack(int fd);
  void PauseAccepting();
  void Watch(int fd, uint64_t tag, uint32_t events, int operation) const;
  void Wake() const;

  std::vector<ListeningSocket> sockets_;
  OnConnection on_connection_;
  const std::string thread_name_;
  const int epoll_;
  const int wake_;
  std::atomic<bool> accepting_{false};
  std::atomic<bool> stopping_{false};
  bool paused_ = false;
  int spare_ = -1;  // a descriptor kept for the next connection; the accepting thread's
  std::atomic<int64_t> accept_failures_{0};
  mutable std::mutex tracked_mutex_;
  std::set<int> tracked_;  // our duplicates
  std::thread thread_;
};

}  // namespace lanekeeper

// Where connections to an HTTP address come in. Each waits until its first bytes tell which
// protocol it speaks, the preface of HTTP/2 or a whole request head of HTTP/1, and is then handed
// over; the bytes stay in the socket. A duplicate of its descriptor stays here: it tells when the
// new owner has closed the connection, and can cut it. Owns the listening sockets, what waits, and
// the thread that does all this. Ends when destroyed, which lets go of what was handed over.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proxy/net/acceptor.h"

namespace lanekeeper {

// A connected socket with one owner. When the owner lets go, it is shut both ways before it is
// closed, because the entrance has a duplicate which would keep it open. Any thread.
class Connection {
 public:
  explicit Connection(Fd socket) : socket_(std::move(socket)) {}
  Connection(Connection&& other) noexcept = default;
  Connection& operator=(Connection&&) = delete;
  ~Connection() {
    if (socket_) shutdown(socket_.get(), SHUT_RDWR);
  }

  int fd() const { return socket_.get(); }
  int Release() { return socket_.Release(); }

 private:
  Fd socket_;
};

enum class Protocol {
  kUndecided,  // what came so far may become either
  kHttp1,
  kHttp2,
  kNeither,
};
// What has come so far, up to kFirstBytesMax of it.
Protocol TellProtocol(std::string_view first_bytes);
// A request head that is longer is HTTP/1 all the same.
inline constexpr size_t kFirstBytesMax = 4096;

class Entrance {
 public:
  // Of what has not said enough yet.
  struct Limits {
    size_t connections;  // one more, and the one that has waited longest is closed
    std::chrono::milliseconds patience;
  };
  // Takes over a connection that speaks kHttp1 or kHttp2. On the thread: must not block.
  using OnProtocol = std::function<void(Protocol protocol, Connection connection)>;

  // `connections_max` in all; one more is closed.
  Entrance(const char* thread_name, std::vector<ListeningSocket> sockets, size_t connections_max,
           Limits limits, OnProtocol on_protocol);
  ~Entrance();

  // Closes the listening sockets and what waits; returns when the callback will not be called any
  // more. What is still open after `grace` is cut.
  void Close(std::chrono::milliseconds grace);

 private:
  class Visitor;

  void OnAccept(Connection connection);
  void OnEvents(Visitor& visitor, uint32_t events);
  void MakeRoom();
  void HandOver(Visitor& visitor, Protocol protocol);
  void Drop(Visitor& visitor);
  void DropLate();
  void CutAll();
  Visitor& longest_waiting();

  const size_t connections_max_;
  const Limits limits_;
  const OnProtocol on_protocol_;
  EventLoop loop_;
  std::unordered_map<const Visitor*, std::unique_ptr<Visitor>> visitors_;
  Link waiting_;  // in the order in which they came
  size_t waiting_count_ = 0;
  TimerOf<Entrance, &Entrance::DropLate> late_timer_;
  TimerOf<Entrance, &Entrance::CutAll> cut_timer_;
  Acceptor acceptor_;
  std::thread thread_;
};

}  // namespace lanekeeper

// Where new connections wait until their first bytes tell which protocol they speak: the preface of
// HTTP/2, or a whole request head of HTTP/1. The bytes stay in the socket. One thread watches all
// that wait, so one that says nothing keeps nobody else waiting. Owns what waits; ends when stopped
// or destroyed, which closes it.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <mutex>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "proxy/admin/connection.h"

namespace lanekeeper {

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

class FirstBytes {
 public:
  struct Limits {
    size_t connections;  // one more, and the one that has waited longest is closed
    std::chrono::milliseconds patience;
  };
  // Takes over a connection that speaks kHttp1 or kHttp2. On the watching thread: must not block.
  using OnProtocol = std::function<void(Protocol protocol, Connection connection)>;

  FirstBytes(Limits limits, OnProtocol on_protocol);
  ~FirstBytes();

  // Any thread; closes the connection once stopped.
  void Add(Connection connection);
  // Returns when the callback will not be called any more.
  void Stop();

 private:
  struct Waiting {
    Connection connection;
    std::chrono::steady_clock::time_point until;
  };
  using Order = std::list<Waiting>;  // of arrival

  void Run();
  void Look(int fd);
  void CloseLate();
  int MsToNextClose();
  Connection Take(Order::iterator waiting);

  const Limits limits_;
  const OnProtocol on_protocol_;
  const int epoll_;
  const int wake_;
  std::mutex mutex_;
  bool stopping_ = false;
  Order order_;
  std::unordered_map<int, Order::iterator> by_fd_;
  std::thread thread_;
};

}  // namespace lanekeeper

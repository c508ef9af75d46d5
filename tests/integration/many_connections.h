// An upstream that speaks frames by hand on many connections at once, each on a thread of its own,
// and counts how often it is dialled. Made before the proxy and destroyed after it, whose end
// closes the connections that the threads read from.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/raw_http2.h"

namespace lanekeeper::testing {

class ManyConnections {
 public:
  // What to do with the nth connection, from 1; it takes the descriptor.
  using Script = std::function<void(int fd, int nth)>;

  explicit ManyConnections(Script script)
      : script_(std::move(script)), acceptor_([this] { Accept(); }) {}
  ~ManyConnections() {
    listener_.Close();
    acceptor_.join();
    for (std::thread& connection : connections_) connection.join();
  }
  ManyConnections(const ManyConnections&) = delete;
  ManyConnections& operator=(const ManyConnections&) = delete;

  std::string address() const { return listener_.address(); }
  int port() const { return listener_.port(); }
  int dials() const { return dials_; }

 private:
  void Accept() {
    for (int fd = listener_.Accept(); fd >= 0; fd = listener_.Accept()) {
      const int nth = ++dials_;
      connections_.emplace_back([this, fd, nth] { script_(fd, nth); });
    }
  }

  const Script script_;
  RawListener listener_;
  std::atomic<int> dials_{0};
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

}  // namespace lanekeeper::testing

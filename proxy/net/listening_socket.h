// A socket that listens: bound when made, closed (and its unix path removed) when destroyed.
// Any thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "config/address.h"
#include "proxy/base/fd.h"

namespace lanekeeper {

class ListeningSocket {
 public:
  // Who may connect is decided by the directory: containers of one pod rarely share a user.
  static constexpr mode_t kUnixMode = 0666;

  // Every socket that `address` means ("localhost" may be two); throws std::runtime_error that says
  // why not. With port 0 the first socket picks the port and the others take the same.
  static std::vector<ListeningSocket> Open(const ListenAddress& address,
                                           mode_t unix_mode = kUnixMode);

  ListeningSocket(ListeningSocket&& other) noexcept = default;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket();

  int fd() const { return fd_.get(); }
  bool is_unix() const { return !unix_path_.empty(); }
  int port() const { return port_; }
  // "127.0.0.1:50051", "[::1]:50051" or "unix:///path": what a client dials.
  const std::string& name() const { return name_; }

 private:
  ListeningSocket(Fd fd, std::string name, int port, std::string unix_path);

  Fd fd_;
  std::string name_;
  int port_;
  std::string unix_path_;
};

}  // namespace lanekeeper

// A client that speaks by hand: sends what it is told and reads until the server closes. Owns its
// socket. One thread.
#pragma once

#include <chrono>
#include <string>

namespace lanekeeper::testing {

class RawConnection {
 public:
  // A name as servers have it: "127.0.0.1:9465" or "unix:///path".
  explicit RawConnection(const std::string& name);
  RawConnection(RawConnection&& other) noexcept;
  RawConnection& operator=(RawConnection&&) = delete;
  ~RawConnection();

  // False when the peer has closed. Does not wait for it to take all.
  bool Send(const std::string& bytes) const;
  // All that comes until the peer closes; what has come so far when that takes too long.
  std::string ReadAll();
  // What comes until it contains `text` or the peer closes.
  std::string ReadUntil(const std::string& text);
  // Whether the peer closes, having sent nothing.
  bool IsClosed();

 private:
  int fd_;
};

// What comes back for a request, head and all, on a connection of its own.
std::string Exchange(const std::string& name, const std::string& request);

}  // namespace lanekeeper::testing

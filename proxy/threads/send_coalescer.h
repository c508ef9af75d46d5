// Joins the small writes that gRPC makes while a loop works through its events. Core writes each
// RPC's bytes with a sendmsg of its own, and on a busy connection that is the largest cost of all;
// with MSG_MORE the kernel keeps them together, and one push sends them when the loop has nothing
// more at hand.
//
// Owned by a loop and used by one thread at a time. Between Hold and Release every sendmsg of this
// thread is held back (the executable's own sendmsg, in the .cc, takes the place of libc's for gRPC
// too). Release before the thread may block: nothing held may wait for an event that it would
// itself bring about.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <array>
#include <cstddef>

namespace lanekeeper {

class SendCoalescer {
 public:
  SendCoalescer() = default;
  SendCoalescer(const SendCoalescer&) = delete;
  SendCoalescer& operator=(const SendCoalescer&) = delete;
  ~SendCoalescer() { Release(); }

  // From now on the calling thread's writes are held back.
  void Hold();
  // Sends what was held back; the thread goes on holding.
  void Push();
  // Sends what was held back, and later writes at once.
  void Release();
  // The calling thread writes at once from now on; what was held back stays so, for the next thread
  // that holds.
  void LetGo();

  bool holds_anything() const { return count_ > 0; }

  // What sendmsg does on this thread.
  ssize_t Send(int fd, const msghdr* message, int flags);

 private:
  bool Remember(int fd);

  // Sockets with something held back. More than these at once are written to directly.
  std::array<int, 32> sockets_{};
  size_t count_ = 0;
};

}  // namespace lanekeeper

// Joins the small writes that gRPC makes while a loop works through its events. Core writes each
// RPC's bytes with a sendmsg of its own, and on a busy connection that is the largest cost of all.
// While a loop holds, they are kept here, and one system call per socket sends them when the loop
// has nothing more at hand.
//
// Owned by a loop and used by one thread at a time, between Hold and Release or LetGo (the
// executable's own sendmsg, close and shutdown, in held_sockets.cc, take the place of libc's for
// gRPC too). Push before the thread may block: nothing held may wait for an event that it would
// itself bring about.
//
// Core takes for sent what is kept. A socket that does not take it when it is pushed, because its
// peer does not read, keeps it (kHeldBytesMax at most): core is told to wait for room when it
// writes more, and the loop tries again from time to time.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "proxy/threads/loop_clock.h"

namespace lanekeeper {

class HeldSocket;

class SendCoalescer {
 public:
  // A larger write is not kept, it leaves at once behind what is: the copy would cost more.
  static constexpr size_t kHeldWriteMax = 16 * 1024;
  static constexpr size_t kHeldBytesMax = 64 * 1024;

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
  // When to Push again, for sockets that have not taken all; 0 if there are none.
  Instant retry_at() const { return retry_at_; }

  // Whose thread this is; null if nobody holds.
  static SendCoalescer* OfThisThread();
  // A place for one more socket: false if there is none.
  bool Add(HeldSocket& socket);
  // An empty string, with room if there was one.
  std::string TakeRoom();
  void ReturnRoom(std::string room);

 private:
  void Retry();

  // More sockets than these at once are written to directly.
  std::array<HeldSocket*, 32> sockets_{};
  size_t count_ = 0;
  std::vector<std::string> rooms_;  // of sockets_, for the next
  std::vector<HeldSocket*> full_;   // their peers do not read
  Instant retry_at_ = 0;
  Instant retry_after_ = 0;
};

}  // namespace lanekeeper

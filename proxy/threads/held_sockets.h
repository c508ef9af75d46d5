// What the sockets of this process have been told was sent and was not yet: one HeldSocket for each
// descriptor that was ever held back, for the life of the process, as descriptors themselves are
// the process's. Any thread; each has a lock, which is contended only where two threads write to
// one connection at once.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <mutex>
#include <string>

namespace lanekeeper {

class SendCoalescer;

class HeldSocket {
 public:
  explicit HeldSocket(int fd) : fd_(fd) {}
  HeldSocket(const HeldSocket&) = delete;
  HeldSocket& operator=(const HeldSocket&) = delete;

  // What sendmsg does with this descriptor.
  ssize_t Send(const msghdr& message, int flags);
  // Sends what is held; false if some of it stays. `coalescer`: who held it back.
  bool Push(SendCoalescer& coalescer);
  // Sends what is held, whoever holds it; false if some of it stays.
  bool Flush();
  // The descriptor is to be closed, or shut down: what it does not take now is lost.
  void End();

 private:
  enum class Kind { kUnknown, kStream, kOther };

  // What kind of socket the descriptor is now.
  void Recognize();
  bool MayHold(const msghdr& message, size_t bytes) const;
  ssize_t SendNow(const msghdr& message, int flags, size_t bytes);
  ssize_t SendBehindHeld(const msghdr& message, int flags, size_t bytes);
  bool SendHeld();

  const int fd_;
  std::mutex mutex_;
  Kind kind_ = Kind::kUnknown;
  SendCoalescer* holder_ = nullptr;  // in whose list it is
  std::string bytes_;
};

// Sends what all sockets of the process hold: before a connection is cut behind gRPC's back, by
// another descriptor than the one that holds. False if a peer does not take it all now.
bool SendAllHeld();

}  // namespace lanekeeper

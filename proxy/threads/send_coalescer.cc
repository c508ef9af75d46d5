#include "proxy/threads/send_coalescer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace lanekeeper {
namespace {

// The coalescer of the loop that this thread runs, while it holds. Not state of the proxy: it only
// tells the C function below on whose behalf it was called.
thread_local SendCoalescer* holding = nullptr;

ssize_t SendNow(int fd, const msghdr* message, int flags) {
  return syscall(SYS_sendmsg, fd, message, flags);
}

}  // namespace

void SendCoalescer::Hold() { holding = this; }

void SendCoalescer::Push() {
  // Setting TCP_NODELAY, even when it is set already, pushes what MSG_MORE has kept back (tcp(7)).
  const int on = 1;
  for (size_t i = 0; i < count_; ++i) {
    setsockopt(sockets_[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  count_ = 0;
}

void SendCoalescer::LetGo() {
  if (holding == this) holding = nullptr;
}

void SendCoalescer::Release() {
  LetGo();
  Push();
}

ssize_t SendCoalescer::Send(int fd, const msghdr* message, int flags) {
  return SendNow(fd, message, Remember(fd) ? flags | MSG_MORE : flags);
}

bool SendCoalescer::Remember(int fd) {
  const auto end = sockets_.begin() + static_cast<std::ptrdiff_t>(count_);
  if (std::find(sockets_.begin(), end, fd) != end) return true;
  if (count_ == sockets_.size()) return false;
  sockets_[count_++] = fd;
  return true;
}

}  // namespace lanekeeper

// Found before libc's by every library of the process, gRPC among them.
extern "C" ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  if (lanekeeper::holding != nullptr) return lanekeeper::holding->Send(fd, message, flags);
  return lanekeeper::SendNow(fd, message, flags);
}

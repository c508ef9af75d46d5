#include "proxy/threads/held_sockets.h"

#include <netinet/in.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <span>
#include <utility>

#include "proxy/threads/local_pacing.h"
#include "proxy/threads/send_coalescer.h"

namespace lanekeeper {
namespace {

ssize_t SystemSend(int fd, const msghdr& message, int flags) {
  return syscall(SYS_sendmsg, fd, &message, flags);
}

bool IsLost(int error) { return error == EPIPE || error == ECONNRESET || error == ETIMEDOUT; }

std::span<const iovec> PartsOf(const msghdr& message) {
  return {message.msg_iov, message.msg_iovlen};
}

size_t BytesOf(const msghdr& message) {
  size_t bytes = 0;
  for (const iovec& part : PartsOf(message)) bytes += part.iov_len;
  return bytes;
}

// By descriptor; null where nothing was ever held back. Descriptors beyond are written to directly.
class HeldSockets {
 public:
  HeldSocket* Find(int fd) const {
    if (fd < 0 || static_cast<size_t>(fd) >= sockets_.size()) return nullptr;
    return sockets_[static_cast<size_t>(fd)].load(std::memory_order_acquire);
  }
  HeldSocket* FindOrMake(int fd) {
    HeldSocket* found = Find(fd);
    if (found != nullptr || fd < 0 || static_cast<size_t>(fd) >= sockets_.size()) return found;
    auto made = std::make_unique<HeldSocket>(fd);
    auto& place = sockets_[static_cast<size_t>(fd)];
    if (place.compare_exchange_strong(found, made.get(), std::memory_order_acq_rel)) {
      return made.release();  // for the life of the process
    }
    return found;
  }
  bool Flush() {
    bool all_sent = true;
    for (auto& place : sockets_) {
      HeldSocket* const socket = place.load(std::memory_order_acquire);
      if (socket != nullptr && !socket->Flush()) all_sent = false;
    }
    return all_sent;
  }

 private:
  std::array<std::atomic<HeldSocket*>, 65536> sockets_{};
};

constinit HeldSockets held_sockets;

}  // namespace

ssize_t HeldSocket::Send(const msghdr& message, int flags) {
  const size_t bytes = BytesOf(message);
  std::lock_guard lock(mutex_);
  SendCoalescer* const coalescer = SendCoalescer::OfThisThread();
  if (kind_ == Kind::kUnknown && coalescer != nullptr) Recognize();
  // Another's list, or nobody's: bytes that a full socket has kept.
  const bool foreign = holder_ != coalescer && (holder_ != nullptr || !bytes_.empty());
  if (coalescer == nullptr || foreign || !MayHold(message, bytes)) {
    return SendNow(message, flags, bytes);
  }
  if (holder_ == nullptr) {
    if (!coalescer->Add(*this)) return SendNow(message, flags, bytes);
    holder_ = coalescer;
    bytes_ = coalescer->TakeRoom();
  }
  for (const iovec& part : PartsOf(message)) {
    bytes_.append(static_cast<const char*>(part.iov_base), part.iov_len);
  }
  return static_cast<ssize_t>(bytes);
}

void HeldSocket::Recognize() {
  int type = 0;
  socklen_t size = sizeof type;
  const bool known = getsockopt(fd_, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
  kind_ = known && type == SOCK_STREAM ? Kind::kStream : Kind::kOther;
  if (kind_ == Kind::kStream) StopLocalPacing(fd_);
}

bool HeldSocket::MayHold(const msghdr& message, size_t bytes) const {
  return kind_ == Kind::kStream && message.msg_controllen == 0 && message.msg_name == nullptr &&
         bytes <= SendCoalescer::kHeldWriteMax &&
         bytes_.size() + bytes <= SendCoalescer::kHeldBytesMax;
}

// A lost connection is left to the read side to tell: what the peer sent last may still be there to
// read, a GOAWAY that says which RPCs it has not seen, and core gives that up when a write fails.
ssize_t HeldSocket::SendNow(const msghdr& message, int flags, size_t bytes) {
  const ssize_t sent = SendBehindHeld(message, flags, bytes);
  const bool lost = sent < 0 && kind_ == Kind::kStream && IsLost(errno);
  return lost ? static_cast<ssize_t>(bytes) : sent;
}

// What is held goes first, in the same system call.
ssize_t HeldSocket::SendBehindHeld(const msghdr& message, int flags, size_t bytes) {
  if (bytes_.empty()) return SystemSend(fd_, message, flags);
  std::array<iovec, 64> parts;
  if (message.msg_iovlen >= parts.size() || message.msg_controllen > 0) {
    if (SendHeld()) return SystemSend(fd_, message, flags);
    errno = EAGAIN;
    return -1;
  }
  parts[0] = {bytes_.data(), bytes_.size()};
  std::copy_n(message.msg_iov, message.msg_iovlen, parts.begin() + 1);
  msghdr joined{};
  joined.msg_iov = parts.data();
  joined.msg_iovlen = message.msg_iovlen + 1;
  const ssize_t sent = SystemSend(fd_, joined, flags | MSG_DONTWAIT);
  if (sent < 0) {
    if (IsLost(errno)) bytes_.clear();
    return -1;
  }
  const size_t held = std::min(static_cast<size_t>(sent), bytes_.size());
  bytes_.erase(0, held);
  if (static_cast<size_t>(sent) > held || bytes == 0) return sent - static_cast<ssize_t>(held);
  errno = EAGAIN;
  return -1;
}

bool HeldSocket::SendHeld() {
  while (!bytes_.empty()) {
    iovec part{bytes_.data(), bytes_.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t sent = SystemSend(fd_, message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes_.erase(0, static_cast<size_t>(sent));
    } else if (IsLost(errno)) {
      bytes_.clear();
    } else if (errno != EINTR) {
      return false;  // full, or the system is short of memory
    }
  }
  return true;
}

bool HeldSocket::Push(SendCoalescer& coalescer) {
  std::lock_guard lock(mutex_);
  if (holder_ == &coalescer) holder_ = nullptr;
  if (!SendHeld()) return false;
  if (bytes_.capacity() > 0 && holder_ == nullptr) {
    coalescer.ReturnRoom(std::exchange(bytes_, {}));
  }
  return true;
}

bool HeldSocket::Flush() {
  std::lock_guard lock(mutex_);
  return SendHeld();
}

void HeldSocket::End() {
  std::lock_guard lock(mutex_);
  SendHeld();
  bytes_.clear();
  kind_ = Kind::kUnknown;
}

bool SendAllHeld() { return held_sockets.Flush(); }

}  // namespace lanekeeper

// Found before libc's by every library of the process, gRPC among them.
extern "C" ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  using namespace lanekeeper;
  HeldSocket* const socket = SendCoalescer::OfThisThread() != nullptr ? held_sockets.FindOrMake(fd)
                                                                      : held_sockets.Find(fd);
  if (socket == nullptr) return SystemSend(fd, *message, flags);
  return socket->Send(*message, flags);
}

extern "C" int shutdown(int fd, int how) noexcept {
  using namespace lanekeeper;
  if (HeldSocket* const socket = held_sockets.Find(fd)) socket->End();
  return static_cast<int>(syscall(SYS_shutdown, fd, how));
}

extern "C" int close(int fd) {
  using namespace lanekeeper;
  if (HeldSocket* const socket = held_sockets.Find(fd)) socket->End();
  return static_cast<int>(syscall(SYS_close, fd));
}

#include "proxy/net/accept_loop.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "proxy/base/thread_name.h"

namespace lanekeeper {
namespace {

// How long to leave the backlog alone when the process has no descriptor for a new connection.
constexpr int kPauseMs = 100;

// Tags of epoll events: a connection's is its descriptor, the others lie above all descriptors.
constexpr uint64_t kWakeTag = uint64_t{1} << 32;
constexpr uint64_t kListenerTag = uint64_t{1} << 33;

bool IsExhaustion(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

AcceptLoop::AcceptLoop(std::vector<ListeningSocket> sockets, std::string thread_name)
    : sockets_(std::move(sockets)),
      thread_name_(std::move(thread_name)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  Watch(wake_, kWakeTag, EPOLLIN, EPOLL_CTL_ADD);
}

AcceptLoop::~AcceptLoop() {
  stopping_ = true;
  Wake();
  if (thread_.joinable()) thread_.join();
  for (int fd : tracked_) close(fd);
  if (spare_ >= 0) close(spare_);
  close(wake_);
  close(epoll_);
}

void AcceptLoop::Start(OnConnection on_connection) {
  on_connection_ = std::move(on_connection);
  accepting_ = true;
  for (size_t i = 0; i < sockets_.size(); ++i) {
    Watch(sockets_[i].fd(), kListenerTag + i, EPOLLIN, EPOLL_CTL_ADD);
  }
  thread_ = std::thread([this] { Run(); });
}

void AcceptLoop::StopAccepting() {
  accepting_ = false;
  Wake();
}

void AcceptLoop::Run() {
  SetThreadName(thread_name_);
  std::array<epoll_event, 64> events{};
  while (!stopping_) {
    const int count = epoll_wait(epoll_, events.data(), events.size(), paused_ ? kPauseMs : -1);
    if (!accepting_) sockets_.clear();
    if (paused_) {
      paused_ = false;
      for (size_t i = 0; i < sockets_.size(); ++i) {
        Watch(sockets_[i].fd(), kListenerTag + i, EPOLLIN, EPOLL_CTL_MOD);
      }
    }
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      const uint64_t tag = event.data.u64;
      if (tag == kWakeTag) {
        uint64_t ignored = 0;
        [[maybe_unused]] const ssize_t n = read(wake_, &ignored, sizeof ignored);
      } else if (tag >= kListenerTag) {
        if (tag - kListenerTag < sockets_.size()) Accept(sockets_[tag - kListenerTag]);
      } else if ((event.events & EPOLLHUP) != 0) {
        Untrack(static_cast<int>(tag));
      }
    }
  }
}

void AcceptLoop::Accept(const ListeningSocket& socket) {
  // A connection takes two descriptors, gRPC's and our duplicate. Without room for both it is left
  // where it waits: one that has been accepted could only be dropped.
  if (spare_ < 0) spare_ = fcntl(wake_, F_DUPFD_CLOEXEC, 0);
  const int fd =
      spare_ < 0 ? -1 : accept4(socket.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    if (IsExhaustion(errno)) {
      spdlog::warn("cannot accept a connection on {}: {}; trying again in {} ms", socket.name(),
                   std::strerror(errno), kPauseMs);
      PauseAccepting();
    }
    return;  // anything else is the fault of one peer, which has gone
  }
  if (!socket.is_unix()) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  dup3(fd, spare_, O_CLOEXEC);
  Track(std::exchange(spare_, -1));
  on_connection_(socket.fd(), fd);
}

void AcceptLoop::Track(int fd) {
  {
    std::lock_guard lock(tracked_mutex_);
    tracked_.insert(fd);
  }
  // EPOLLHUP is always reported; edge-triggered, so that a mere error does not spin.
  Watch(fd, static_cast<uint64_t>(fd), EPOLLET, EPOLL_CTL_ADD);
}

// Both ways are shut: gRPC has let go of the connection, or is about to.
void AcceptLoop::Untrack(int fd) {
  // Until gRPC has closed its own descriptor the kernel would go on reporting for ours.
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  std::lock_guard lock(tracked_mutex_);
  tracked_.erase(fd);
  close(fd);
}

int64_t AcceptLoop::connections() const {
  std::lock_guard lock(tracked_mutex_);
  return static_cast<int64_t>(tracked_.size());
}

void AcceptLoop::CutConnections() {
  std::lock_guard lock(tracked_mutex_);
  for (int fd : tracked_) shutdown(fd, SHUT_RDWR);
}

void AcceptLoop::PauseAccepting() {
  accept_failures_.fetch_add(1, std::memory_order_relaxed);
  paused_ = true;
  for (size_t i = 0; i < sockets_.size(); ++i) {
    Watch(sockets_[i].fd(), kListenerTag + i, 0, EPOLL_CTL_MOD);
  }
}

void AcceptLoop::Watch(int fd, uint64_t tag, uint32_t events, int operation) const {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  epoll_ctl(epoll_, operation, fd, &event);
}

void AcceptLoop::Wake() const {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(wake_, &one, sizeof one);
}

}  // namespace lanekeeper

#include "proxy/admin/first_bytes.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "proxy/base/thread_name.h"

namespace lanekeeper {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0";  // RFC 9113 section 3.4, the first line
constexpr std::string_view kEndOfHead = "\r\n\r\n";

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }

}  // namespace

Protocol TellProtocol(std::string_view first_bytes) {
  if (first_bytes.substr(0, kPreface.size()) == kPreface.substr(0, first_bytes.size())) {
    return first_bytes.size() < kPreface.size() ? Protocol::kUndecided : Protocol::kHttp2;
  }
  // A TLS handshake, for one.
  if (!IsUpper(first_bytes[0])) return Protocol::kNeither;
  const bool is_whole = first_bytes.size() >= kFirstBytesMax ||
                        first_bytes.find(kEndOfHead) != std::string_view::npos;
  return is_whole ? Protocol::kHttp1 : Protocol::kUndecided;
}

FirstBytes::FirstBytes(Limits limits, OnProtocol on_protocol)
    : limits_(limits),
      on_protocol_(std::move(on_protocol)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this] { Run(); }) {}

FirstBytes::~FirstBytes() {
  Stop();
  close(wake_);
  close(epoll_);
}

void FirstBytes::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(wake_, &one, sizeof one);
  if (thread_.joinable()) thread_.join();
  std::lock_guard lock(mutex_);
  while (!order_.empty()) Take(order_.begin());
}

void FirstBytes::Add(Connection connection) {
  std::lock_guard lock(mutex_);
  if (stopping_) return;
  if (order_.size() >= limits_.connections) Take(order_.begin());
  const int fd = connection.fd();
  order_.push_back({std::move(connection), std::chrono::steady_clock::now() + limits_.patience});
  by_fd_[fd] = std::prev(order_.end());
  // Edge-triggered: half a preface in the socket must not wake us again and again.
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
  event.data.fd = fd;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void FirstBytes::Run() {
  SetThreadName("lk-admin-first");
  epoll_event wake{};
  wake.events = EPOLLIN;
  wake.data.fd = wake_;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &wake);
  std::array<epoll_event, 64> events{};
  for (;;) {
    const int count = epoll_wait(epoll_, events.data(), events.size(), MsToNextClose());
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    for (int i = 0; i < count; ++i) Look(events[static_cast<size_t>(i)].data.fd);
    CloseLate();
  }
}

void FirstBytes::Look(int fd) {
  std::array<char, kFirstBytesMax> bytes{};
  Protocol protocol = Protocol::kUndecided;
  std::optional<Connection> connection;
  {
    std::lock_guard lock(mutex_);
    const auto found = by_fd_.find(fd);
    if (found == by_fd_.end()) return;  // had to make room
    const ssize_t count = recv(fd, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count > 0) protocol = TellProtocol({bytes.data(), static_cast<size_t>(count)});
    if (count > 0 && protocol == Protocol::kUndecided) return;
    connection.emplace(Take(found->second));
  }
  if (protocol == Protocol::kHttp1 || protocol == Protocol::kHttp2) {
    on_protocol_(protocol, std::move(*connection));
  }
}

void FirstBytes::CloseLate() {
  std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  while (!order_.empty() && order_.front().until <= now) Take(order_.begin());
}

int FirstBytes::MsToNextClose() {
  std::lock_guard lock(mutex_);
  // Whoever is added meanwhile need not be closed before that.
  if (order_.empty()) return static_cast<int>(limits_.patience.count());
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(order_.front().until -
                                                                 std::chrono::steady_clock::now());
  return static_cast<int>(std::max<int64_t>(left.count(), 0));
}

// With the mutex held. The duplicate that the accept loop has would keep it in epoll's set.
Connection FirstBytes::Take(Order::iterator waiting) {
  Connection connection = std::move(waiting->connection);
  epoll_ctl(epoll_, EPOLL_CTL_DEL, connection.fd(), nullptr);
  by_fd_.erase(connection.fd());
  order_.erase(waiting);
  return connection;
}

}  // namespace lanekeeper

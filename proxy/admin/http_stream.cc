#include "proxy/admin/http_stream.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace lanekeeper {
namespace {

constexpr size_t kFinishBytes = 1024 * 1024;

short Poll(int fd, short events, int timeout_ms) {
  pollfd waiting{fd, events, 0};
  return poll(&waiting, 1, timeout_ms) > 0 ? waiting.revents : short{0};
}

}  // namespace

HttpStream::HttpStream(int fd, Limits limits)
    : fd_(fd),
      limits_(limits),
      read_until_(Clock::now() + limits.request_time),
      write_until_(Clock::now() + limits.answer_time),
      bytes_left_(limits.request_bytes) {}

void HttpStream::AnswerWithoutEnd() { write_until_ = Clock::time_point::max(); }

bool HttpStream::PeerHasEnded() const { return Poll(fd_, POLLRDHUP, 0) != 0; }

bool HttpStream::Await(short events, Clock::time_point until) const {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) return false;
    if (Poll(fd_, events, static_cast<int>(left.count())) != 0) return true;
  }
}

ssize_t HttpStream::read(char* to, size_t size) {
  while (buffer_begin_ == buffer_end_) {
    const size_t wanted = std::min(buffer_.size(), bytes_left_);
    if (wanted == 0) return -1;
    const ssize_t count = recv(fd_, buffer_.data(), wanted, 0);
    if (count == 0) return 0;
    if (count > 0) {
      buffer_begin_ = 0;
      buffer_end_ = static_cast<size_t>(count);
      bytes_left_ -= buffer_end_;
    } else if (errno != EINTR && (errno != EAGAIN || !Await(POLLIN, read_until_))) {
      return -1;
    }
  }
  const size_t count = std::min(size, buffer_end_ - buffer_begin_);
  std::memcpy(to, buffer_.data() + buffer_begin_, count);
  buffer_begin_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t HttpStream::write(const char* bytes, size_t size) {
  for (;;) {
    const ssize_t count = send(fd_, bytes, size, MSG_NOSIGNAL);
    if (count >= 0) return count;
    if (errno == EINTR) continue;
    const auto stalled = Clock::now() + limits_.write_stall;
    if (errno != EAGAIN || !Await(POLLOUT, std::min(stalled, write_until_))) return -1;
  }
}

void HttpStream::Finish(std::chrono::milliseconds time) {
  shutdown(fd_, SHUT_WR);
  const auto until = Clock::now() + time;
  for (size_t read_so_far = 0; read_so_far < kFinishBytes;) {
    const ssize_t count = recv(fd_, buffer_.data(), buffer_.size(), 0);
    if (count > 0)
      read_so_far += static_cast<size_t>(count);
    else if (count == 0 || errno != EAGAIN || !Await(POLLIN, until))
      return;
  }
}

bool HttpStream::is_readable() const {
  return buffer_begin_ != buffer_end_ || Await(POLLIN, read_until_);
}

bool HttpStream::is_writable() const {
  return Await(POLLOUT, std::min(Clock::now() + limits_.write_stall, write_until_));
}

// Nobody here asks for either; the library only passes them on.
void HttpStream::get_remote_ip_and_port(std::string&, int&) const {}
void HttpStream::get_local_ip_and_port(std::string&, int&) const {}

// None: the library would refuse descriptors above FD_SETSIZE, though we never select().
socket_t HttpStream::socket() const { return INVALID_SOCKET; }

void RefuseBusy(int fd, std::string_view content_type, std::string_view body) {
  const std::string response = fmt::format(
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: {}\r\n"
      "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
      content_type, body.size(), body);
  std::array<char, 4096> request;
  recv(fd, request.data(), request.size(), MSG_DONTWAIT);
  send(fd, response.data(), response.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace lanekeeper

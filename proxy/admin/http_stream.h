// A connection as cpp-httplib reads and writes it, with bounds on what a peer may send and how long
// it may take. Borrows the socket, which is non-blocking. One thread.
#pragma once

#include <httplib.h>

#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace lanekeeper {

class HttpStream final : public httplib::Stream {
 public:
  struct Limits {
    size_t request_bytes;                    // head and body; what is behind cannot be read
    std::chrono::milliseconds request_time;  // for all of it
    std::chrono::milliseconds write_stall;   // with a peer that takes nothing
    std::chrono::milliseconds answer_time;   // for all of the answer
  };

  HttpStream(int fd, Limits limits);

  // The answer goes on for as long as somebody listens.
  void AnswerWithoutEnd();
  // Whether the peer has closed, or at least ended what it sends.
  bool PeerHasEnded() const;
  // Ends the answer and reads what the peer still sends, for a short while: a socket closed with
  // unread bytes is reset, and the peer may lose the answer.
  void Finish(std::chrono::milliseconds time = std::chrono::milliseconds(200));

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* to, size_t size) override;
  ssize_t write(const char* bytes, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override;

 private:
  using Clock = std::chrono::steady_clock;

  bool Await(short events, Clock::time_point until) const;

  const int fd_;
  const Limits limits_;
  const Clock::time_point read_until_;
  Clock::time_point write_until_;
  size_t bytes_left_;
  std::array<char, 4096> buffer_{};
  size_t buffer_begin_ = 0;
  size_t buffer_end_ = 0;
};

// 503 to a peer for whom there is no thread, so without waiting for anything: what does not fit
// into the socket's buffer is lost, and a request that is still unread may cost it the answer.
void RefuseBusy(int fd, std::string_view content_type, std::string_view body);

}  // namespace lanekeeper

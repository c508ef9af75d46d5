// One stream of a fuzzed connection and whoever uses it: receives all the time, and sends, ends and
// resets when told to. Keeps what it has received until it is told to consume. Owns its stream.
// The loop's thread.
#pragma once

#include <string_view>
#include <utility>

#include "proxy/base/task.h"
#include "proxy/http2/connection.h"
#include "tests/fuzz/check.h"

namespace lanekeeper::fuzz {

class Talker final : public http2::StreamObserver {
 public:
  // `echoes`: sends what it receives, and its credit goes back when that has been framed.
  Talker(EventLoop& loop, bool echoes)
      : loop_(loop), echoes_(echoes), fiber_(loop.ready()), stream(fiber_, loop.buffers(), *this) {
    if (echoes_) stream.set_source(&stream);
  }
  ~Talker() { Check(!receiving_ && !sending_, "operations complete when their stream closes"); }

  Pool& pool() { return loop_.pool(); }
  void Start() { Receive(); }

  void Send(size_t bytes, char fill) {
    if (sending_ || stream.ending() || stream.closed()) return;
    sent_ += bytes;
    SliceQueue queue(loop_.buffers());
    const std::string text(bytes, fill);
    queue.AppendCopy(reinterpret_cast<const uint8_t*>(text.data()), text.size());
    SendAll(queue);
  }
  void Consume() { stream.Consume(std::exchange(owed_, 0)); }
  void set_consumes(bool consumes) {
    consumes_ = consumes;
    if (consumes_) Consume();
  }

  // Whether nobody uses the stream any more.
  bool over() const { return stream.closed() && !receiving_ && !sending_; }
  // Makes the stream as new once all of it has ended; whether it has.
  bool Renew() {
    if (!over()) return false;
    stream.Renew();
    owed_ = 0;
    told_ = false;
    return true;
  }

  uint64_t sent() const { return sent_; }
  // Whether the connection has it.
  bool open() const { return stream.id() > 0 && !stream.closed(); }

 private:
  Detached Receive() {
    receiving_ = true;
    SliceQueue bytes(loop_.buffers());
    for (;;) {
      const http2::Received what = co_await stream.Receive(bytes);
      if (what == http2::Received::kEnd || what == http2::Received::kClosed) break;
      Check(what == http2::Received::kData || bytes.empty(), "headers come without bytes");
      TakeAll(bytes);
    }
    receiving_ = false;
  }

  void TakeAll(SliceQueue& bytes) {
    const size_t size = bytes.bytes();
    if (echoes_ && !stream.ending()) {
      sent_ += size;
      return stream.Push(bytes);
    }
    uint8_t sum = 0;
    bytes.Consume(size, [&sum](Block*, const uint8_t* data, uint32_t part) {
      for (uint32_t i = 0; i < part; ++i) sum = static_cast<uint8_t>(sum + data[i]);
    });
    sum_ = static_cast<uint8_t>(sum_ + sum);  // each byte has been read
    owed_ += size;
    if (consumes_) Consume();
  }

  Detached SendAll(SliceQueue& bytes) {
    sending_ = true;
    const bool taken = co_await stream.Send(std::move(bytes));
    Check(taken || stream.closed(), "a send fails when its stream closes");
    sending_ = false;
  }

  void OnClosed(http2::Stream& closed) override {
    Check(closed.closed(), "a stream is closed when it says so");
    Check(!std::exchange(told_, true), "a stream closes once");
  }
  void OnContractViolation(const char* operation) override { Check(false, operation); }

  EventLoop& loop_;
  const bool echoes_;
  bool consumes_ = true;
  bool receiving_ = false;
  bool sending_ = false;
  bool told_ = false;
  uint8_t sum_ = 0;
  size_t owed_ = 0;
  uint64_t sent_ = 0;
  Fiber fiber_;

 public:
  http2::Stream stream;
};

}  // namespace lanekeeper::fuzz

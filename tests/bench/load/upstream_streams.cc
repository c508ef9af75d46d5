#include "tests/bench/load/upstream_streams.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "tests/bench/load/grpc_framing.h"
#include "tests/bench/load/message_source.h"

namespace bench {
namespace {

// What an RPC does with its requests; made once its method is known.
class Answer {
 public:
  virtual ~Answer() = default;
  // How many of the bytes are dealt with now; the others when Take returns them.
  virtual size_t OnData(std::string_view bytes) = 0;
  virtual void OnPeerEnd() {}
  virtual Http2Stream::Ready ReadyToSend(size_t max) = 0;
  // How many bytes of requests are dealt with by this.
  virtual size_t Take(char* to, size_t size) = 0;
};

// Passes bytes back as they come, without a look at the messages in them: what is equal needs no
// parsing. Keeps at most the stream's flow-control window, which opens as the bytes leave.
class EchoAnswer final : public Answer {
 public:
  size_t OnData(std::string_view bytes) override {
    bytes_.append(bytes);
    return 0;
  }
  void OnPeerEnd() override { ended_ = true; }

  Http2Stream::Ready ReadyToSend(size_t max) override {
    const size_t waiting = bytes_.size() - taken_;
    return {std::min(max, waiting), ended_ && waiting <= max};
  }

  size_t Take(char* to, size_t size) override {
    std::memcpy(to, bytes_.data() + taken_, size);
    taken_ += size;
    if (taken_ == bytes_.size()) {
      taken_ = 0;
      bytes_.clear();
    } else if (taken_ > bytes_.size() / 2) {
      bytes_.erase(0, std::exchange(taken_, 0));
    }
    return size;
  }

 private:
  std::string bytes_;
  size_t taken_ = 0;
  bool ended_ = false;
};

// The first 8 bytes of the request, two numbers, ask for so many messages of such a size.
class FanoutAnswer final : public Answer {
 public:
  size_t OnData(std::string_view bytes) override {
    if (!asked_) reader_.Read(bytes, *this);
    return bytes.size();
  }
  void OnPeerEnd() override { ended_ = true; }

  bool OnMessageBegin(char, size_t) { return true; }
  bool OnMessageBytes(std::string_view bytes, size_t offset) {
    if (offset < request_.size()) {
      std::copy_n(bytes.data(), std::min(bytes.size(), request_.size() - offset),
                  request_.data() + offset);
    }
    return true;
  }
  bool OnMessageEnd() {
    count_ = LoadBigEndian(request_.data());
    size_ = LoadBigEndian(request_.data() + 4);
    asked_ = true;
    return false;
  }

  Http2Stream::Ready ReadyToSend(size_t max) override {
    size_t bytes = source_.left();
    uint64_t messages = sent_;
    for (; bytes < max && messages < count_; ++messages) bytes += kPrefixSize + size_;
    return {std::min(bytes, max), ended_ && messages == count_ && bytes <= max};
  }

  size_t Take(char* to, size_t size) override {
    for (size_t done = 0; done < size;) {
      if (source_.left() == 0) source_ = MessageSource(sent_++, size_);
      done += source_.Take(to + done, size - done);
    }
    return 0;
  }

 private:
  MessageReader reader_;
  std::array<char, MessageSource::kNumbersSize> request_{};
  bool asked_ = false;
  uint64_t count_ = 0;
  uint32_t size_ = 0;
  uint64_t sent_ = 0;
  MessageSource source_;
  bool ended_ = false;
};

// Counts requests, and answers the number (8 bytes, big-endian) when they have ended.
class SinkAnswer final : public Answer {
 public:
  size_t OnData(std::string_view bytes) override {
    reader_.Read(bytes, *this);
    return bytes.size();
  }
  void OnPeerEnd() override {
    ended_ = true;
    answer_ = MessageSource::OfNumbers(static_cast<uint32_t>(messages_ >> 32),
                                       static_cast<uint32_t>(messages_));
  }

  bool OnMessageBegin(char, size_t) { return true; }
  bool OnMessageBytes(std::string_view, size_t) { return true; }
  bool OnMessageEnd() {
    ++messages_;
    return true;
  }

  Http2Stream::Ready ReadyToSend(size_t max) override {
    return {std::min(max, answer_.left()), ended_ && answer_.left() <= max};
  }

  size_t Take(char* to, size_t size) override {
    answer_.Take(to, size);
    return 0;
  }

 private:
  MessageReader reader_;
  uint64_t messages_ = 0;
  MessageSource answer_;
  bool ended_ = false;
};

class UpstreamStream final : public Http2Stream {
 public:
  explicit UpstreamStream(Http2Connection& connection) : connection_(connection) {}

  void OnHeader(std::string_view name, std::string_view value) override {
    if (name != ":path") return;
    if (value == "/bench.Echo/Fanout") {
      answer_ = std::make_unique<FanoutAnswer>();
    } else if (value == "/bench.Echo/Sink") {
      answer_ = std::make_unique<SinkAnswer>();
    } else {
      answer_ = std::make_unique<EchoAnswer>();
    }
  }

  void OnData(std::string_view bytes) override {
    const size_t done = answer_->OnData(bytes);
    if (done > 0) connection_.Consume(*this, done);
    Go();
  }

  void OnPeerEnd() override {
    answer_->OnPeerEnd();
    Go();
  }

  void OnClose(const std::string&) override {}

  Ready ReadyToSend(size_t max) override { return answer_->ReadyToSend(max); }

  void Take(char* to, size_t size) override {
    const size_t done = answer_->Take(to, size);
    if (done > 0) connection_.Consume(*this, done);
  }

 private:
  // The headers go with the first answer, as those of most servers do.
  void Go() {
    if (std::exchange(responding_, true)) {
      connection_.Resume(*this);
    } else {
      connection_.Respond(*this);
    }
  }

  Http2Connection& connection_;
  std::unique_ptr<Answer> answer_;
  bool responding_ = false;
};

}  // namespace

std::unique_ptr<Http2Stream> NewUpstreamStream(Http2Connection& connection) {
  return std::make_unique<UpstreamStream>(connection);
}

}  // namespace bench

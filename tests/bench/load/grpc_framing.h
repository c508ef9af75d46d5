// gRPC's length-prefixed messages: a flag byte, four bytes of length (big-endian), the message.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bench {

constexpr size_t kPrefixSize = 5;

inline uint32_t LoadBigEndian(const char* from) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(from[i]);
  return value;
}

inline void StoreBigEndian(uint32_t value, char* to) {
  for (int i = 3; i >= 0; --i, value >>= 8) to[i] = static_cast<char>(value);
}

inline std::array<char, kPrefixSize> MessagePrefix(uint32_t size) {
  std::array<char, kPrefixSize> prefix{};
  StoreBigEndian(size, prefix.data() + 1);
  return prefix;
}

// Splits the bytes of a stream into messages without keeping any of them.
class MessageReader {
 public:
  // Calls on `sink`, each of which may return false to stop for good:
  //   OnMessageBegin(flag, size), OnMessageBytes(bytes, offset) any number of times,
  //   OnMessageEnd().
  template <class Sink>
  bool Read(std::string_view data, Sink& sink) {
    while (!data.empty()) {
      if (prefix_have_ < kPrefixSize) {
        const size_t take = std::min(kPrefixSize - prefix_have_, data.size());
        std::copy_n(data.data(), take, prefix_.data() + prefix_have_);
        data.remove_prefix(take);
        prefix_have_ += take;
        if (prefix_have_ < kPrefixSize) return true;
        size_ = LoadBigEndian(prefix_.data() + 1);
        offset_ = 0;
        if (!sink.OnMessageBegin(prefix_[0], size_)) return false;
      }
      const size_t take = std::min(size_ - offset_, data.size());
      if (take > 0 && !sink.OnMessageBytes(data.substr(0, take), offset_)) return false;
      data.remove_prefix(take);
      offset_ += take;
      if (offset_ < size_) return true;
      prefix_have_ = 0;
      if (!sink.OnMessageEnd()) return false;
    }
    return true;
  }

  bool between_messages() const { return prefix_have_ == 0; }

 private:
  std::array<char, kPrefixSize> prefix_{};
  size_t prefix_have_ = 0;
  size_t size_ = 0;
  size_t offset_ = 0;
};

}  // namespace bench

// Messages on their way out.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "tests/bench/load/grpc_framing.h"
#include "tests/bench/load/pattern.h"

namespace bench {

// One message on its way out, prefix and all, handed out piece by piece.
class MessageSource {
 public:
  MessageSource() = default;  // nothing left
  // With the pattern's bytes of that number.
  MessageSource(uint64_t number, uint32_t size)
      : pattern_(number), prefix_(MessagePrefix(size)), size_(kPrefixSize + size) {}
  // Of two big-endian numbers.
  static MessageSource OfNumbers(uint32_t first, uint32_t second) {
    MessageSource source(0, kNumbersSize);
    StoreBigEndian(first, source.numbers_.data());
    StoreBigEndian(second, source.numbers_.data() + 4);
    source.of_numbers_ = true;
    return source;
  }
  static constexpr uint32_t kNumbersSize = 8;

  size_t left() const { return size_ - taken_; }

  size_t Take(char* to, size_t max) {
    const size_t take = std::min(max, left());
    size_t done = 0;
    for (; done < take && taken_ < kPrefixSize; ++done) to[done] = prefix_[taken_++];
    if (done == take) return take;
    const size_t offset = taken_ - kPrefixSize;
    if (of_numbers_) {
      std::copy_n(numbers_.data() + offset, take - done, to + done);
    } else {
      pattern_.Write(to + done, offset, take - done);
    }
    taken_ += take - done;
    return take;
  }

 private:
  Pattern pattern_{0};
  std::array<char, kPrefixSize> prefix_{};
  std::array<char, kNumbersSize> numbers_{};
  bool of_numbers_ = false;
  size_t size_ = 0;
  size_t taken_ = 0;
};

}  // namespace bench

#include "tests/bench/load/pattern.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

namespace bench {
namespace {

// A prime, so that pieces of the usual sizes (16 KiB frames) never repeat in step with it; small
// enough to stay in the cache.
constexpr size_t kPeriod = 65'521;

const std::array<char, kPeriod> kBytes = [] {
  std::array<char, kPeriod> bytes;
  std::mt19937 random(5);
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}();

// Calls piece(bytes_of_the_pattern, done, size) over [offset, offset + size); false stops.
template <class Piece>
bool ForEachPiece(size_t position, size_t size, Piece piece) {
  for (size_t done = 0; done < size;) {
    const size_t at = (position + done) % kPeriod;
    const size_t length = std::min(size - done, kPeriod - at);
    if (!piece(kBytes.data() + at, done, length)) return false;
    done += length;
  }
  return true;
}

}  // namespace

Pattern::Pattern(uint64_t message_number) : start_(message_number * 40'503 % kPeriod) {}

void Pattern::Write(char* to, size_t offset, size_t size) const {
  ForEachPiece(start_ + offset, size, [&](const char* bytes, size_t done, size_t length) {
    std::memcpy(to + done, bytes, length);
    return true;
  });
}

bool Pattern::Equals(std::string_view bytes, size_t offset) const {
  return ForEachPiece(start_ + offset, bytes.size(),
                      [&](const char* expected, size_t done, size_t length) {
                        return std::memcmp(bytes.data() + done, expected, length) == 0;
                      });
}

}  // namespace bench
